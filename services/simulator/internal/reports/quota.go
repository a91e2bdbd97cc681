package reports

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// What a user of a project may ask in a minute. Source: developers.google.com/workspace/admin/reports/v1/limits.
const (
	standardQueries       = 2400
	standardFilterQueries = 250
)

var errQuota = errors.New("the quota is spent")

// spend takes a query from the quota of a caller, or refuses it with 503, as the Reports API does.
func (s *Server) spend(c *call) error {
	settings, now := s.Settings(), s.Clock.Now()
	who := c.caller.Tenant.App.ClientID + " " + c.caller.Admin
	ok := s.queries.Take(who, now, cmp.Or(settings.QuotaPerMinute, standardQueries))
	if ok && filtering(c.r) {
		ok = s.filterQueries.Take(who, now, cmp.Or(settings.FilterQuotaPerMinute, standardFilterQueries))
	}
	if !ok {
		return fmt.Errorf("%w: %w", errQuota, googleerror.Quota(http.StatusServiceUnavailable))
	}
	return nil
}

// filtering reports whether a request is a filter query.
func filtering(r *http.Request) bool {
	if user := r.PathValue("userKey"); user != "" && user != "all" {
		return true
	}
	query := r.URL.Query()
	for _, name := range []string{"actorIpAddress", "eventName", "filters", "orgUnitID", "groupIdFilter"} {
		if query.Get(name) != "" {
			return true
		}
	}
	return false
}

// spoiled is the error that a fault asks for. A request can be throttled in either of two ways.
func spoiled(s traffic.Spoil) error {
	switch {
	case s.Kind == control.Throttled && s.Choice%2 == 0:
		e := googleerror.Quota(http.StatusServiceUnavailable)
		e.Header = s.RetryHeader()
		return fmt.Errorf("%w: %w", errQuota, e)
	case s.Kind == control.Forbidden:
		return googleerror.NotAuthorized()
	}
	e := googleerror.Spoiled(s.Status)
	e.Header = s.RetryHeader()
	return e
}
