package reports

import (
	"crypto/sha256"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
)

const (
	mostResults = 1000
	reach       = 180 * 24 * time.Hour // how far back activities are listed
	gmailReach  = 30 * 24 * time.Hour
)

// query is what a request to list activities asks for.
type query struct {
	app, user  string
	start, end time.Time // inclusive
	size       int
	after      *pageToken // nil on the first page
	want       filter
}

// The shape of a time, as in the discovery document. It is narrower than RFC 3339.
var timestamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)$`)

var (
	groupIDs  = regexp.MustCompile(`^id:[a-z0-9]+(,id:[a-z0-9]+)*$`)
	orgUnitID = regexp.MustCompile(`^id:[a-z0-9]+$`)
)

// readQuery reads the parameters of a request at now. Parameters that are not known are ignored, and of one that is given
// twice the last value counts.
func readQuery(app, user string, values url.Values, now time.Time) (query, error) {
	q := query{app: app, user: user, start: now.Add(-reach), end: now, size: mostResults}
	if err := q.checkApplication(values); err != nil {
		return query{}, err
	}
	if err := q.readTimes(values, now); err != nil {
		return query{}, err
	}
	if raw := last(values, "maxResults"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil || n < 1 || n > mostResults {
			return query{}, googleerror.InvalidParameter("maxResults", raw)
		}
		q.size = n
	}
	var err error
	if q.want, err = readFilter(last(values, "eventName"), last(values, "filters"), last(values, "actorIpAddress")); err != nil {
		return query{}, err
	}
	if raw := last(values, "pageToken"); raw != "" {
		token, err := parsePageToken(raw)
		if err != nil || token.Sum != q.sum(values) {
			return query{}, googleerror.InvalidParameter("pageToken", raw)
		}
		q.after, q.start, q.end = &token, time.UnixMilli(token.Start), time.UnixMilli(token.End)
	}
	return q, nil
}

func (q query) checkApplication(values url.Values) error {
	if !listed(q.app) {
		return googleerror.InvalidParameter("applicationName", q.app)
	}
	if last(values, "includeSensitiveData") == "true" && q.app != "rules" && q.app != "chat" && q.app != "workspace_studio" {
		return googleerror.NotAuthorized()
	}
	// The filters by group and by organizational unit are no longer supported: they are read and do nothing.
	for name, shape := range map[string]*regexp.Regexp{"groupIdFilter": groupIDs, "orgUnitID": orgUnitID} {
		if raw := last(values, name); raw != "" && !shape.MatchString(raw) {
			return googleerror.InvalidParameter(name, raw)
		}
	}
	return nil
}

// readTimes reads startTime and endTime: the first must be before the second and before now.
func (q *query) readTimes(values url.Values, now time.Time) error {
	for name, at := range map[string]*time.Time{"startTime": &q.start, "endTime": &q.end} {
		raw := last(values, name)
		if raw == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, raw)
		if err != nil || !timestamp.MatchString(raw) {
			return googleerror.InvalidParameter(name, raw)
		}
		*at = t
	}
	start, end := last(values, "startTime"), last(values, "endTime")
	switch {
	case start != "" && (!q.start.Before(q.end) || !q.start.Before(now)):
		return googleerror.Invalid("Start time must be before end time and before the current time.")
	case q.app == "gmail" && (start == "" || end == "" || q.end.Sub(q.start) > gmailReach):
		return googleerror.Invalid("startTime and endTime must be given and be no more than 30 days apart.")
	}
	if q.start.Before(now.Add(-reach)) {
		q.start = now.Add(-reach)
	}
	return nil
}

// sum is a fingerprint of all that must stay the same from page to page.
func (q query) sum(values url.Values) string {
	h := sha256.New()
	for _, s := range []string{
		q.app, q.user, last(values, "startTime"), last(values, "endTime"), last(values, "eventName"), last(values, "filters"),
		last(values, "actorIpAddress"), last(values, "customerId"),
	} {
		_, _ = h.Write(append([]byte(s), 0)) // a hash takes everything
	}
	return string(h.Sum(nil)[:12])
}

// last is the value of a parameter that counts.
func last(values url.Values, name string) string {
	if all := values[name]; len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}
