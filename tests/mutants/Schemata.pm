# Schemata: all mutants of a file in one object, of which `cni_mutant` chooses one. A function with a fault stands beside
# the right one, which hands over to it: so nothing is built for each fault.
# SPDX-License-Identifier: GPL-2.0-or-later
package Schemata;
use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw(schemata);

# functions(LINES): {first, brace, last, name, head, arguments}: where definitions are, by index of line.
sub functions (@lines) {
	my @found;
	for my $brace (grep { $lines[$_] eq '{' } 0 .. $#lines) {
		my ($first, $last) = ($brace - 1, $brace);
		$first-- while $lines[$first] =~ /^\s/;
		$last++  while $lines[$last] ne '}';
		my $head = join ' ', @lines[$first .. $brace - 1];
		my ($name, $list) = $head =~ /(\w+)\((.*)\)[^()]*$/ or die "no function: $head\n";
		next if $list =~ /\.\.\./;
		$list =~ s/\([^()]*\)(?=,|$)//g;    # what a pointer to a function takes
		my @arguments = $list eq 'void' ? () : map { /(\w+)\W*$/ } split /,/, $list;
		push @found, { first => $first, brace => $brace, last => $last, name => $name, head => $head, arguments => \@arguments };
	}
	return @found;
}

# The head of a function's copy with that fault.
sub copy_head ($function, $number) {
	my $head = $function->{head} =~ s/\b\Q$function->{name}\E\(/$function->{name}__$number(/r;
	return $head =~ /^static\b/ ? $head : "static $head";
}

# One function and its copies. Errors of a copy are at its number and its line.
sub with_copies ($function, $lines, @mutants) {
	my ($first, $brace, $last) = @$function{qw(first brace last)};
	my $arguments = join ', ', @{ $function->{arguments} };
	my @text      = ("$function->{head};", map { copy_head($function, $_->{number}) . ';' } @mutants);
	push @text, @$lines[$first .. $brace], "\tswitch (cni_mutant) {";
	push @text, map { "\tcase $_->{number}: return $function->{name}__$_->{number}($arguments);" } @mutants;
	push @text, "\t}", @$lines[$brace + 1 .. $last];
	for my $mutant (@mutants) {
		my @copy = @$lines[$brace .. $last];
		$copy[$mutant->{line} - 1 - $brace] = $mutant->{text};
		push @text, "#line 1 \"mutant.$mutant->{number}\"", copy_head($function, $mutant->{number}), @copy;
	}
	return @text;
}

# schemata(TEXT, MUTANTS): the file with those mutants of it that are within a function, and these mutants; each is
# {number, line, text}.
sub schemata ($text, @mutants) {
	my @lines = split /\n/, $text;
	my (@out, @taken);
	my $at = 0;
	for my $function (functions(@lines)) {
		my @here = grep { $_->{line} - 1 > $function->{brace} && $_->{line} - 1 < $function->{last} } @mutants;
		next if !@here;
		push @out, @lines[$at .. $function->{first} - 1], with_copies($function, \@lines, @here);
		push @taken, @here;
		$at = $function->{last} + 1;
	}
	return (join("\n", 'extern int cni_mutant;', @out, @lines[$at .. $#lines], ''), @taken);
}

1;
