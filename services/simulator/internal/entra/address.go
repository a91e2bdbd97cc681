package entra

import (
	"net"
	"net/url"
)

// checkURL accepts https, and http to this machine where the configuration says so.
func (s *Server) checkURL(property, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return invalidSubscription("Property '%s' is not a valid URL.", property)
	}
	if u.Scheme == "https" || u.Scheme == "http" && s.AllowLoopbackHTTP && loopback(u.Hostname()) {
		return nil
	}
	return invalidSubscription("The %s '%s://%s' must use the HTTPS protocol.", property, u.Scheme, u.Host)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
