package workspace

import (
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

const pushedActivity = `{"kind":"admin#reports#activity",
 "id":{"time":"2026-11-23T07:58:35.808Z","uniqueQualifier":"-987654321","applicationName":"admin","customerId":"C03az79cb"},
 "actor":{"callerType":"USER","email":"admin@initech.com","profileId":"0123456789987654321"},
 "ownerDomain":"initech.com","ipAddress":"192.0.2.0",
 "events":[{"type":"USER_SETTINGS","name":"CREATE_USER","parameters":[{"name":"USER_EMAIL","value":"liz@initech.com"}]}]}`

func pushed(state string, more ...string) http.Header {
	h := http.Header{
		"X-Goog-Channel-Id": {channelName}, "X-Goog-Message-Number": {"23"}, "X-Goog-Resource-Id": {"ret987df98743md8g"},
		"X-Goog-Resource-State": {state}, "X-Goog-Channel-Token": {"v1.k.initech.c.mac"},
		"X-Goog-Resource-Uri": {"https://admin.googleapis.com/admin/reports/v1/activity/users/all/applications/admin?alt=json"},
		"Content-Type":        {"application/json; utf-8"}, "X-Goog-Channel-Expiration": {"Tue, 29 Oct 2013 20:32:02 GMT"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

func TestParse(t *testing.T) {
	t.Parallel()
	p, err := New(Config{}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := wire.Activities([]byte(`{"kind":"k","items":[`+pushedActivity+`]}`), "admin")
	if err != nil {
		t.Fatal(err)
	}
	id := list[0].ID()
	base := receiver.Notification{ChannelID: channelName, ResourceID: "ret987df98743md8g", Secret: "v1.k.initech.c.mac"}
	with := func(change func(*receiver.Notification)) receiver.Notification {
		n := base
		change(&n)
		return n
	}
	activity := with(func(n *receiver.Notification) {
		n.Resource, n.ID, n.DirectoryID, n.Change = receiver.ActivityResource, id, "C03az79cb", "CREATE_USER"
	})
	user := with(func(n *receiver.Notification) { n.Resource, n.ID, n.Change = receiver.UserResource, ada, "update" })
	opened := with(func(n *receiver.Notification) { n.News, n.Change = receiver.ChannelOpened, "sync" })
	const users = "https://admin.googleapis.com/admin/directory/v1/users?customer=my_customer&alt=json"
	for name, c := range map[string]struct {
		header http.Header
		body   string
		want   receiver.Notification
	}{
		"sync":                       {pushed("sync", "X-Goog-Message-Number", "1", "Content-Type", "application/octet-stream"), "", opened},
		"sync with a body":           {pushed("sync"), "{}", opened},
		"activity":                   {pushed("CREATE_USER"), pushedActivity, activity},
		"qualifier as a number":      {pushed("CREATE_USER"), strings.Replace(pushedActivity, `"-987654321"`, `-987654321`, 1), activity},
		"time in another zone":       {pushed("CREATE_USER"), strings.Replace(pushedActivity, `07:58:35.808Z`, `08:58:35.808+01:00`, 1), activity},
		"application in the headers": {pushed("CREATE_USER"), strings.Replace(pushedActivity, `"applicationName":"admin",`, ``, 1), activity},
		"any content type":           {pushed("CREATE_USER", "Content-Type", "text/html"), pushedActivity, activity},
		"odd customer":               {pushed("CREATE_USER"), strings.Replace(pushedActivity, `C03az79cb`, `a@initech.com`, 1), with(func(n *receiver.Notification) { *n = activity; n.DirectoryID = "" })},
		"an address for a state":     {pushed("liz@initech.com"), pushedActivity, with(func(n *receiver.Notification) { *n = activity; n.Change = "" })},
		"user":                       {pushed("update", "X-Goog-Resource-Uri", users), `{"kind":"admin#directory#user","id":"` + ada + `","etag":"\"x\"","primaryEmail":"ada@initech.com"}`, user},
		"user's id as a number":      {pushed("update", "X-Goog-Resource-Uri", users), `{"id":` + ada + `}`, user},
		"user without a body":        {pushed("update", "X-Goog-Resource-Uri", users), "", with(func(n *receiver.Notification) { n.Resource, n.Change = receiver.UserResource, "update" })},
		"activity without a body":    {pushed("CREATE_USER"), " \n", with(func(n *receiver.Notification) { n.Resource, n.Change = receiver.ActivityResource, "CREATE_USER" })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := p.Parse(c.header, []byte(c.body))
			if diff := cmp.Diff([]receiver.Notification{c.want}, got); err != nil || diff != "" {
				t.Errorf("%v, -want +got\n%s", err, diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	p, err := New(Config{}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		header http.Header
		body   string
		fails  bool // as a whole
	}{
		"no headers":               {http.Header{}, pushedActivity, true},
		"no channel":               {pushed("update", "X-Goog-Channel-Id", ""), pushedActivity, true},
		"no state":                 {pushed(""), pushedActivity, true},
		"a channel that is none":   {pushed("update", "X-Goog-Channel-Id", "liz@initech.com"), pushedActivity, false},
		"half a body":              {pushed("update"), pushedActivity[:100], false},
		"two bodies":               {pushed("update"), pushedActivity + pushedActivity, false},
		"no object":                {pushed("update"), `["liz@initech.com"]`, false},
		"neither one nor other":    {pushed("update"), `{"kind":"admin#directory#user"}`, false},
		"an address for a user id": {pushed("update"), `{"id":"liz@initech.com"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := p.Parse(c.header, []byte(c.body))
			switch {
			case (err != nil) != c.fails:
				t.Errorf("%+v, %v", got, err)
			case err == nil && (len(got) != 1 || got[0].Fault == nil || strings.Contains(got[0].Fault.Error(), "@")):
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestTraits(t *testing.T) {
	t.Parallel()
	p, err := New(Config{}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	want := receiver.Traits{Journals: true, MaxFeedGroups: 1, PerMinute: 2400, NamesChannels: true, OpensChannels: true}
	if p.Traits() != want || p.Name() != directory.GoogleWorkspace || p.Handshake(nil, nil) {
		t.Errorf("%+v, %s", p.Traits(), p.Name())
	}
	if _, err := New(Config{API: "http://admin.googleapis.com"}, Deps{}); err == nil {
		t.Error("an address without TLS is taken")
	}
}

// FuzzParse: whatever is sent, what comes back holds no address and fits where it is stored.
func FuzzParse(f *testing.F) {
	f.Add("update", channelName, "ret1", "https://admin.googleapis.com/admin/directory/v1/users", []byte(`{"id":"1","primaryEmail":"a@b.c"}`))
	f.Add("CREATE_USER", "liz@initech.com", "a@b.c", "x/applications/a@b.c/watch", []byte(pushedActivity))
	f.Add("sync", channelName, "", "", []byte{})
	p, err := New(Config{}, Deps{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, state, channel, resource, uri string, body []byte) {
		h := http.Header{
			"X-Goog-Channel-Id": {channel}, "X-Goog-Resource-Id": {resource}, "X-Goog-Resource-State": {state}, "X-Goog-Resource-Uri": {uri},
		}
		items, err := p.Parse(h, body)
		if err != nil {
			return
		}
		if len(items) != 1 {
			t.Fatalf("%d items of one push", len(items))
		}
		n := items[0]
		for what, s := range map[string]string{"channel": n.ChannelID, "resource": n.ResourceID, "id": n.ID, "directory": n.DirectoryID, "change": n.Change} {
			if strings.ContainsAny(s, "@ \n") || strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) || len(s) > 256 {
				t.Errorf("%s %q", what, s)
			}
		}
		if n.Fault == nil && !event.ValidToken(n.ChannelID) || n.ID != "" && !event.ValidToken(n.ID) {
			t.Errorf("%+v", n)
		}
	})
}
