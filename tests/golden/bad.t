#!/usr/bin/perl
# Every diagnostic code: its example brings it about, at its place and with its text (tests/golden/bad/CODE.txt), and
# its mend is without error. CNIC_REWRITE=1 writes the texts anew. Ends with a count of codes and of the domain's pitfalls.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use File::Spec;
use Test::More;

# The provider's rules and the kernel's pitfalls that can be seen without a kernel, and what reports them.
my @pitfalls = (
	['Express: 1500 bytes, no more',                        'CNI211'],
	['Express: 1500 bytes, no less',                        'CNI212'],
	['Express: no GRE needed',                              'CNI206'],
	['Express: no BGP',                                     'CNI201'],
	['Express: no VLAN',                                    'CNI202'],
	['Express: no LACP',                                    'CNI203'],
	['Express: no BFD',                                     'CNI204'],
	['Express: no IPv6',                                    'CNI205'],
	['Express: no bidirectional health check',              'CNI207'],
	['Express: the legacy health check instead',            'CNI215'],
	['Express: tracking is required',                       'CNI208'],
	['Express: two levels of tracking',                     'CNI209'],
	['Express: no Connector',                               'CNI210'],
	['Express, Classic: policy routes are required',        'CNI220'],
	['Classic: no plain IP',                                'CNI221'],
	['Classic: no service without a tunnel',                'CNI222'],
	['Classic: no IPsec',                                   'CNI301'],
	['Classic: no BGP inside the tunnel',                   'CNI307'],
	['Classic: BGP of the outer packet is not pinned',      'CNI328'],
	['Classic: BFD does not speed up tunnels',              'CNI228'],
	['Classic: bidirectional checks once were ruled out',   'CNI357'],
	['Classic: one VLAN tag from 1 to 4094',                'CNI158'],
	['addresses come from onboarding: placeholders',        'CNI231', 'CNI230'],
	['interconnects are /31 and /127',                      'CNI214'],
	['data plane and kind',                                 'CNI213'],
	['a backup by the Internet is required',                'CNI223'],
	['IPv6 and interconnects in one account',               'CNI224'],
	['1 Gbit/s toward Cloudflare',                          'CNI227'],
	['AS 13335',                                            'CNI225'],
	['BGP: between two AS',                                 'CNI233'],
	['BGP: one end, one order of links',                    'CNI336'],
	['tunnel names: what the kernel refuses',               'CNI111'],
	['tunnel names: what the kernel reserves',              'CNI304'],
	['one (local, remote, key)',                            'CNI417'],
	['one (local, remote) over different links',            'CNI330'],
	['inner addresses: RFC 1918 or 169.254.240.0/20',       'CNI321'],
	['inner addresses: /31 preferred',                      'CNI322'],
	['TTL explicit',                                        'CNI318'],
	['MTU of 576 at least',                                 'CNI310'],
	['MTU within what the link leaves',                     'CNI311'],
	['IPv6 needs 1280',                                     'CNI312'],
	['MSS within the MTU',                                  'CNI313'],
	['MSS 1476, the figure that was corrected',             'CNI314'],
	['MSS of IPv6',                                         'CNI315'],
	['ignore-df needs nopmtudisc',                          'CNI319'],
	['no key, checksum, sequence number at Cloudflare',     'CNI317'],
	['ip6gre is not documented',                            'CNI320'],
	['health: direction and type have no default',          'CNI122'],
	['health: reply-style probes are dropped',              'CNI352'],
	['health: a target may be ignored',                     'CNI358'],
	['health: legacy where it is not needed',               'CNI356'],
	['health: legacy outside 172.64.240.252/30',            'CNI354'],
	['health: two with one legacy target',                  'CNI353'],
	['outer packet into a tunnel',                          'CNI331', 'CNI332', 'CNI333'],
	['strict reverse-path filtering',                       'CNI420'],
	['loose reverse-path filtering without a default',      'CNI421'],
	['wide masquerade',                                     'CNI407'],
	['intra-LAN traffic captured',                          'CNI423', 'CNI239'],
	['fail-open never by silence',                          'CNI152', 'CNI153'],
	['DSCP stays inside',                                   'CNI340'],
	['GRE never goes down',                                 'CNI327'],
	['endpoint pinned',                                     'CNI329'],
	['marks stay within a mask',                            'CNI141'],
	['weights from 1 to 256',                               'CNI157'],
	['host bits',                                           'CNI130'],
	['routes that never match',                             'CNI401', 'CNI402', 'CNI404'],
);

my $program = File::Spec->rel2abs($ENV{CNIC} // "$root/build/cnic");
my $golden  = "$root/tests/golden/bad";
my $dir     = scratch();

# check(TEXT): the exit status and the messages of `cnic check bad.cni`, in a directory where nothing else is.
sub check ($text) {
	spew("$dir/bad.cni", $text);
	my ($status, $out, $err) = sh("cd '$dir' && exec '$program' check --color=never bad.cni");
	return ($status, $err);
}

my ($status, $out, $err) = sh($program, 'explain-code', '--json');
is($status, 0, 'explain-code lists all codes') or BAIL_OUT($err);
my @codes = from_json($out)->{codes}->@*;
my %known = map { $_->{code} => $_ } @codes;
my (%texts, $with_example);

for my $code (@codes) {
	my $name = $code->{code};
	like($code->{title}, qr/[^.]$/, "$name has a title");
	ok(length $code->{reason} > 20, "$name has a reason");
	next if $code->{example} eq '';
	$with_example++;
	subtest $name => sub {
		my ($bad, $text) = check($code->{example});
		is($bad, $code->{severity} eq 'error' ? 1 : 0, 'the exit status is as severe as the code');
		like($text, qr/^$code->{severity}\[$name\]: /m, 'it comes about')
			and $ENV{CNIC_REWRITE}
			and spew("$golden/$name.txt", $text);
		is($text, -e "$golden/$name.txt" ? slurp("$golden/$name.txt") : undef, 'with this text');
		my ($mended, $rest) = check($code->{mend});
		is($mended, 0, 'the mend has no error') or diag($rest);
		unlike($rest, qr/\[$name\]/, '... and not this warning');
	};
	$texts{"$name.txt"} = 1;
}
my @stale = grep { !$texts{$_} } map {s{.*/}{}r} glob "'$golden'/*.txt";
is("@stale", '', 'no text is of a code that is no more');
for my $pitfall (@pitfalls) {
	my ($what, @by) = @$pitfall;
	my @missing = grep { !$known{$_} || $known{$_}{example} eq '' } @by;
	is("@missing", '', "$what: @by");
}
diag(sprintf '%d codes, %d of them with an example; %d pitfalls of the domain', scalar @codes, $with_example,
	scalar @pitfalls);
done_testing;
