function FindProxyForURL(url, host) {
  var name = "." + host.toLowerCase();
  if (name.slice(-23) === ".intranet.hill.internal") return "DIRECT";
  return "PROXY 10.20.0.1:8080; PROXY [fd00:20::1]:8080";
}
