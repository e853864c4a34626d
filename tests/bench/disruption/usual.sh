# The same two policies as people write them by hand, and three usual ways from the one to the other:
#
#   flush    marks name classes of traffic; a script takes the rules and routes away, loads nftables anew, and puts
#            routes and rules back
#   replace  marks name classes; nftables is replaced in one transaction, then every route in its place
#   marks    marks name paths, so that rules and routes stay as they are: one transaction of nftables is all
#
# Sourced, behind lab.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154

# usual_files: write them, and the scripts flush-first, flush-second, replace-first … into $lab_dir.
usual_files() {
	local p
	usual_nft first 1 2 3 4 >"$lab_dir/class-first.nft"
	usual_nft second 1 2 3 4 >"$lab_dir/class-second.nft"
	cp "$lab_dir/class-first.nft" "$lab_dir/path-first.nft"
	usual_nft second 2 1 4 3 >"$lab_dir/path-second.nft"
	usual_routes a b d e >"$lab_dir/routes-first"
	usual_routes b a e d >"$lab_dir/routes-second"
	usual_rules "add priority" >"$lab_dir/rules"
	usual_rules "del priority" >"$lab_dir/no-rules"
	usual_flush >"$lab_dir/no-routes"
	for p in first second; do
		sed 's/^route add/route replace/' "$lab_dir/routes-$p" >"$lab_dir/routes-$p.replace"
		{
			usual_both no-rules
			usual_both no-routes
			echo "nft -f $lab_dir/class-$p.nft"
			echo "ip -batch $lab_dir/routes-$p"
			usual_both rules
		} >"$lab_dir/flush-$p"
		{
			echo "nft -f $lab_dir/class-$p.nft"
			echo "ip -batch $lab_dir/routes-$p.replace"
		} >"$lab_dir/replace-$p"
		echo "nft -f $lab_dir/path-$p.nft" >"$lab_dir/marks-$p"
	done
}

# usual_start: the first policy from nothing.
usual_start() {
	usual_tunnels | batch router
	at router sh -e <<-X || lab_die "the usual way"
		nft -f $lab_dir/class-first.nft
		ip -batch $lab_dir/routes-first
		$(usual_both rules)
	X
}

usual_both() { echo "ip -batch $lab_dir/$1 && ip -6 -batch $lab_dir/$1"; }

usual_tunnels() {
	[ -n "$disruption_gre" ] || return 0
	cat <<-X
		link add cf1 up type gre local 192.0.2.1 remote 192.0.2.0 ttl 64
		link add cf2 up type gre local 192.0.2.3 remote 192.0.2.2 ttl 64
	X
}

usual_marks() { echo 1 2 3 4 7 ${disruption_gre:+11 12}; }
usual_rules() {
	local m
	for m in $(usual_marks); do echo "rule $1 $((100 + m)) fwmark $m lookup $((100 + m))"; done
}
usual_flush() {
	local m
	for m in $(usual_marks); do echo "route flush table $((100 + m))"; done
}

# usual_routes A B D E: what the tables of the marks 1 to 4 lead to; 7 is for answers to what came in by a.
usual_routes() {
	local -A four=([a]=192.0.2.0 [b]=192.0.2.2 [d]=198.51.100.0 [e]=198.51.100.2)
	local -A six=([a]=2001:db8:a:: [b]=2001:db8:b::)
	cat <<-X
		route add default via ${four[$1]} dev $1 table 101
		route add default via ${six[$1]} dev $1 table 101
		route add default via ${four[$2]} dev $2 table 102
		route add default via ${six[$2]} dev $2 table 102
		route add default via ${four[$3]} dev $3 table 103
		route add default via ${four[$4]} dev $4 table 104
		route add default via ${four[a]} dev a table 107
	X
	[ -z "$disruption_gre" ] || cat <<-X
		route add default dev cf$(tr ab 12 <<<"$1") table 111
		route add default dev cf$(tr ab 12 <<<"$2") table 112
	X
}

usual_elements() {
	awk -v v6="$2" '/:/ == v6 { printf "%s%s", n++ ? ", " : "", $0 }' "$lab_dir/$1"
}

# usual_nft POLICY MARK…: the whole table, in one transaction with the removal of the former one. The marks are of
# what goes by a, b, d and e in the first policy.
usual_nft() {
	local s
	printf '%s\n' "table inet usual" "delete table inet usual" "table inet usual {"
	for s in one two; do
		echo "set ${s}4 { type ipv4_addr; flags interval; elements = { $(usual_elements "$1.$s" 0) }; }"
		echo "set ${s}6 { type ipv6_addr; flags interval; elements = { $(usual_elements "$1.$s" 1) }; }"
	done
	cat <<-X
			chain prerouting {
				type filter hook prerouting priority mangle;
				iifname { "a", "b", "d", "e" } ct direction original ct mark set 7
				iifname != "eth2" return
				ct direction reply ct mark 7 meta mark set 7 return
				ip daddr { 10.10.0.0/16, 192.0.2.0/30, 198.51.100.0/30 } return
				udp dport 4500 meta mark set $(($2 + 10)) return
				udp dport 4501 meta mark set $(($3 + 10)) return
				tcp dport 4500 meta mark set $(($2 + 10)) return
				tcp dport 80 meta mark set $4 return
				tcp dport 81 meta mark set $5 return
				udp dport 3478 meta mark set $4 return
				udp dport 5060-5070 meta mark set $2 return
				udp dport 873 meta mark set $3 return
				ip daddr @one4 meta mark set $2 return
				ip6 daddr @one6 meta mark set $2 return
				ip daddr @two4 meta mark set $3 return
				ip6 daddr @two6 meta mark set $3 return
			}
			chain postrouting {
				type filter hook postrouting priority mangle;
				oifname "a" tcp flags syn tcp option maxseg size set 1400
				oifname "b" tcp flags syn tcp option maxseg size set 1300
				oifname "d" tcp flags syn tcp option maxseg size set 1350
				oifname "e" tcp flags syn tcp option maxseg size set 1250
				oifname "cf1" tcp flags syn tcp option maxseg size set 1410
				oifname "cf2" tcp flags syn tcp option maxseg size set 1390
			}
			chain nat {
				type nat hook postrouting priority srcnat;
				oifname { "d", "e" } masquerade
			}
		}
	X
}
