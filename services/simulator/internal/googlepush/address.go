package googlepush

import (
	"net"
	"net/url"
)

// checkAddress wants https, or plain http to this machine where that is allowed.
func checkAddress(address string, loopback bool) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return pushError("invalidAddress", "Invalid WebHook callback address.")
	}
	if u.Scheme == "https" || loopback && u.Scheme == "http" && isLoopback(u.Hostname()) {
		return nil
	}
	return pushError("push.webhookUrlNotHttps", "WebHook callback must be HTTPS: %.200s", address)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
