package timelapse

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

// logged returns the names of the events that the provider's log of an application tells of since a moment, each once.
func (c *customer) logged(application string, since time.Time) map[string]bool {
	c.tb.Helper()
	key, err := os.ReadFile(c.account.KeyFile)
	if err != nil {
		c.tb.Fatal(err)
	}
	config, err := google.JWTConfigFromJSON(key, control.ScopeReports)
	if err != nil {
		c.tb.Fatal(err)
	}
	config.TokenURL, config.Subject, config.Audience = c.sim.URL()+"/token", workspacetest.Admin(c.domain), google.JWTTokenURL
	ctx := context.WithValue(c.tb.Context(), oauth2.HTTPClient, c.client)
	// A time that is not over yet is refused.
	url := fmt.Sprintf("%s/admin/reports/v1/activity/users/all/applications/%s?startTime=%s",
		c.sim.URL(), application, since.Add(-time.Millisecond).UTC().Format("2006-01-02T15:04:05.000Z"))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		c.tb.Fatal(err)
	}
	res, err := config.Client(ctx).Do(req)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var log struct {
		Items []struct{ Events []struct{ Name string } }
	}
	if err := json.NewDecoder(res.Body).Decode(&log); err != nil || res.StatusCode != http.StatusOK {
		c.tb.Fatalf("the log of %s: %s, %v", application, res.Status, err)
	}
	names := map[string]bool{}
	for _, a := range log.Items {
		for _, e := range a.Events {
			names[e.Name] = true
		}
	}
	return names
}
