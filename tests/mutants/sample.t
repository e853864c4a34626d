#!/usr/bin/perl
# A sample of seeded faults, one of each sort: the proof of the compiler catches every one. tests/mutants/run tries all.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib $FindBin::Bin;
use Mutants qw(line_of build_original try_mutant);
use Test::More;

my @faults = (
	['a range without its last address', 'compiler/lower/nft.c', 'cmp(l, r, NFT_CMP_LTE, b, len);', 'cmp(l, r, NFT_CMP_LT, b, len);'],
	['a prefix of one bit less', 'compiler/lower/nft.c', 'struct cni_addr m = { lo.family, ~flip & cni_host_mask(lo.family, 0) };',
		'struct cni_addr m = { lo.family, ~flip & cni_host_mask(lo.family, 0) & ~(flip + 1) };'],
	['source and destination swapped', 'compiler/lower/map.c', 'load_addr(l, r, column == COL_FROM, family, reg);',
		'load_addr(l, r, column == COL_TO, family, reg);'],
	['layers in the reverse order', 'compiler/lower/routes.c', 'return x->layer < y->layer ? -1 : 1;', 'return x->layer > y->layer ? -1 : 1;'],
	['fallback in the reverse order', 'compiler/lower/tables.c',
		'struct cni_st_route route = default_route(table, family, (uint32_t)(i + 1) * METRIC_STEP, way->span);',
		'struct cni_st_route route = default_route(table, family, (uint32_t)(way->n_tiers - i) * METRIC_STEP, way->span);'],
	['a share by number, not by weight', 'compiler/lower/routes.c', 'below += path->members[i].weight;', 'below += 1;'],
	['known flows by a mark without epoch', 'compiler/lower/steer.c', 'set_add(l, &known, &now, NFT_GOTO, way->path_chain);',
		'set_add(l, &known, &any, NFT_GOTO, way->path_chain);'],
	['no device is masqueraded on', 'compiler/lower/side_chains.c', 'set_add(l, by_device_set, key, 0, NULL);', ';'],
	['rules passed over by one block less', 'compiler/lower/skips.c', '.jump = at_block(s, block + (1u << FAN_BITS * level)) });',
		'.jump = at_block(s, block + (1u << FAN_BITS * level) + 1) });'],
	['sets without their last element', 'runtime/netlink/encode_set.c', 'for (size_t i = 0; i < set->n_elems; i++)',
		'for (size_t i = 0; i + 1 < set->n_elems; i++)'],
	['ends of ranges in the wrong byte order', 'runtime/netlink/encode_set.c',
		'mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));',
		'mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);'],
	['a next hop of one share more', 'runtime/netlink/encode_route.c',
		'(uint8_t)(route->hops[i].weight ? route->hops[i].weight - 1 : 0),', '(uint8_t)(route->hops[i].weight ? route->hops[i].weight : 0),'],
	['a path that its flow does not note', 'compiler/lower/nft.c', 'expr(l, r, CNI_X_CT_SET, NFT_CT_MARK);', ';'],
	['rules in front of those before them', 'runtime/netlink/encode_nft.c',
		'struct nlmsghdr *message = rt_nft_message(w, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);',
		'struct nlmsghdr *message = rt_nft_message(w, NFT_MSG_NEWRULE, NLM_F_CREATE);'],
	['a batch that does not end', 'runtime/netlink/encode_nft.c', 'put_frame(w, NFNL_MSG_BATCH_END, 0);', ';'],
	['a set with room for one', 'runtime/netlink/encode_set.c', 'mnl_attr_put_u32(message, NFTA_SET_DESC_SIZE, htonl((uint32_t)set->n_elems));',
		'mnl_attr_put_u32(message, NFTA_SET_DESC_SIZE, htonl(1));'],
	['what should not match does', 'runtime/netlink/encode_route.c', 'header->flags = rule->invert ? FIB_RULE_INVERT : 0;', 'header->flags = 0;'],
);

$Mutants::few = 1;
build_original();
for my $fault (@faults) {
	my ($name, $file, $code, $instead) = @$fault;
	my ($what) = try_mutant({ file => $file, line => line_of($file, $code), text => $instead });
	is($what, 'caught', $name);
}
done_testing;
