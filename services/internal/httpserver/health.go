package httpserver

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// readyTimeout bounds one round of checks: who asks, asks again.
const readyTimeout = 2 * time.Second

// healthz says that the process answers. It is not a statement about what it depends on.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// readyz answers 200 when every check passes and 503 otherwise, with {"ready": bool, "checks": {name: "ok" or why not}}.
func readyz(checks func() []Check) http.HandlerFunc {
	if checks == nil {
		checks = func() []Check { return nil }
	}
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		answer := struct {
			Ready  bool              `json:"ready"`
			Checks map[string]string `json:"checks"`
		}{Ready: true, Checks: map[string]string{}}
		for _, c := range checks() {
			answer.Checks[c.Name] = "ok"
			if err := c.Ready(ctx); err != nil {
				answer.Ready, answer.Checks[c.Name] = false, err.Error()
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if !answer.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(answer)
	}
}
