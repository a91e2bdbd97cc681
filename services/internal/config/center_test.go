package config_test

import (
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/internal/config"
)

// Where people sign in is told from where they can be listened to, and nobody comes in without a proof from elsewhere.
func TestWhereTheControlCenterIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*config.Config)
		says   string
	}{
		"on this machine": {func(c *config.Config) { c.Center.AccessFile, c.Center.DevelopmentLogin = "a.yaml", true }, ""},
		"by https": {func(c *config.Config) {
			c.HTTP.Addr, c.Center.AccessFile, c.Center.PublicURL = ":8080", "a.yaml", "https://r.example.com"
		}, ""},
		"nobody comes in":       {func(c *config.Config) { c.HTTP.Addr = ":8080" }, ""},
		"no URL":                {func(c *config.Config) { c.HTTP.Addr, c.Center.AccessFile = ":8080", "a.yaml" }, "center.public_url"},
		"no URL behind a proxy": {func(c *config.Config) { c.HTTP.TrustedProxy, c.Center.AccessFile = true, "a.yaml" }, "center.public_url"},
		"by http":               {func(c *config.Config) { c.Center.PublicURL = "http://r.example.com" }, "center.public_url"},
		"with a path":           {func(c *config.Config) { c.Center.PublicURL = "https://r.example.com/rollcall" }, "center.public_url"},
		"a login for others":    {func(c *config.Config) { c.HTTP.Addr, c.Center.DevelopmentLogin = "0.0.0.0:8080", true }, "center.development_login"},
		"a login by a proxy":    {func(c *config.Config) { c.HTTP.TrustedProxy, c.Center.DevelopmentLogin = true, true }, "center.development_login"},
	} {
		cfg := config.Default()
		cfg.Sync.Push = false
		c.change(&cfg)
		err := cfg.Validate()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
