package remote

import (
	"errors"
	"net/url"
	"strings"
)

// Base reads the base address of an API: https, a host, perhaps a path, nothing else.
func Base(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(raw, "/"))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want an https address such as https://api.example.com/v1")
	}
	return u, nil
}

// Owns reports whether a link is of the same host as base, so that it may be sent base's token.
func Owns(base *url.URL, link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.Scheme == base.Scheme && strings.EqualFold(u.Host, base.Host) && u.User == nil
}
