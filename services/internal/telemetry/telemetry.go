// Package telemetry makes what a process reports with: its logger, which keeps secrets and addresses to itself, and its
// registry of metrics.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewLogger writes to w from level ("debug", "info", "warn", "error") up, as "json" or "text".
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var from slog.Level
	if err := from.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: %w", level, err)
	}
	options := &slog.HandlerOptions{Level: from, ReplaceAttr: redact}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	default:
		return nil, fmt.Errorf("log format %q: want json or text", format)
	}
}

// Discard is a logger that writes nothing.
func Discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// NewRegistry returns a registry with the Go runtime's and the process's own metrics.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

const redacted = "[redacted]"

var (
	// secretKey are names of attributes whose value is never written, whatever it is.
	secretKey = regexp.MustCompile(`(?i)(secret|token|password|passwd|authorization|cookie|clientstate|private_?key|assertion)`)
	// address is what looks like an e-mail address; bearer what looks like a signed token, or an
	// API token of ours.
	address = regexp.MustCompile(`[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+`)
	bearer  = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|rc_[a-z2-7]{16}_[a-z2-7]{20,}`)
)

// redact is the last line of defence. Code that logs should not need it: errors of libraries do.
func redact(_ []string, a slog.Attr) slog.Attr {
	if secretKey.MatchString(a.Key) {
		return slog.String(a.Key, redacted)
	}
	var text string
	switch value := a.Value.Any().(type) {
	case string:
		text = value
	case error:
		text = value.Error()
	case fmt.Stringer:
		text = value.String()
	default:
		return a
	}
	if !strings.Contains(text, "@") && !strings.Contains(text, "eyJ") && !strings.Contains(text, "rc_") {
		return a
	}
	text = address.ReplaceAllString(text, redacted)
	return slog.String(a.Key, bearer.ReplaceAllString(text, redacted))
}
