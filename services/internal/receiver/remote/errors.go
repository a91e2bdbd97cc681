package remote

import (
	"errors"
	"net/url"
)

// Bare drops the URL from an error of net/http: addresses of people and tokens are in its query. What was wrapped
// around that error goes with it.
func Bare(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Code returns s where it can be nothing but a code or an id of the other side's, [A-Za-z0-9_.-] and at most 64 of
// these, else "". Texts name people.
func Code(s string) string {
	if len(s) > 64 {
		return ""
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.') {
			return ""
		}
	}
	return s
}
