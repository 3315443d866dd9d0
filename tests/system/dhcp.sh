# Runs a DHCP server and a client that asks it, each in a network of its own.
# It is the first process of its own (unshare --pid): when it ends with its input, so do all others.
# Arguments: a directory with the servers' configuration, and dnsmasq or kea.
set -eu
dir=$1 server=$2
export KEA_LOCKFILE_DIR="$dir" KEA_PIDFILE_DIR="$dir" KEA_LOGGER_DESTINATION=stdout

in_client() { nsenter -t "$client" -n "$@"; }

ip link add s0 type veth peer name c0
unshare --net sleep 600 & client=$!
while [ "$(readlink "/proc/$client/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link set c0 netns "$client"
# Addresses are used at once, without asking whether somebody has them already.
echo 0 >/proc/sys/net/ipv6/conf/s0/accept_dad
in_client sh -c 'echo 0 >/proc/sys/net/ipv6/conf/c0/accept_dad'
ip address add 10.9.0.1/24 dev s0
ip -6 address add 2001:db8:9::1/64 dev s0 nodad
ip link set s0 up
in_client ip link set c0 address 00:1b:44:11:3a:b7 up
echo 'send host-name "Ipad-3";' >"$dir/client.conf"

case $server in
dnsmasq)
  dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --port=0 --interface=s0 \
    --bind-interfaces --dhcp-range=10.9.0.50,10.9.0.60,1h \
    --dhcp-range=2001:db8:9::50,2001:db8:9::60,64,1h \
    --dhcp-leasefile="$dir/leases" --pid-file="$dir/pid" &
  ;;
kea)
  kea-dhcp4 -c "$dir/kea4.json" &
  kea-dhcp6 -c "$dir/kea6.json" &
  ;;
esac
for version in 4 6; do
  (
    until nsenter -t "$client" -n dhclient -$version -1 -D LL -sf /bin/true -cf "$dir/client.conf" \
      -lf "$dir/client$version" -pf "$dir/pid$version" c0; do sleep 0.2; done
    nsenter -t "$client" -n dhclient -$version -x -pf "$dir/pid$version" 2>/dev/null
  ) &
done
read -r _
