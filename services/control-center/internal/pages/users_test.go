package pages_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

var listedUser = regexp.MustCompile(`<a id="user-([^"]+)"`)

// listed are the ids of the users on a page, in their order.
func listed(html string) (ids []string) {
	for _, m := range listedUser.FindAllStringSubmatch(html, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// csvIDs are the ids of the users in a CSV.
func csvIDs(t testing.TB, body string) (ids []string) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		ids = append(ids, line[0])
	}
	return ids
}

// Every filter, alone and with others: the page has whom it asks for, and the CSV exactly the same.
func TestUsersAreFiltered(t *testing.T) {
	t.Parallel()
	w := lively(t)
	var active, suspended, guests, sales []string
	for i := range 60 {
		id := fmt.Sprintf("u%02d", i)
		switch {
		case i%17 == 5:
			suspended = append(suspended, id)
		case i%23 == 7:
			guests = append(guests, id)
		default:
			active = append(active, id)
		}
		if i > 0 && i < 40 {
			sales = append(sales, id)
		}
	}
	both := func(a, b []string) (all []string) {
		for _, id := range a {
			if slices.Contains(b, id) {
				all = append(all, id)
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		query url.Values
		want  []string
	}{
		"all users in groups":   {url.Values{"group": {"SALES@contoso.com"}}, sales},
		"suspended":             {url.Values{"status": {"suspended"}}, suspended},
		"guests":                {url.Values{"status": {"guest"}}, guests},
		"licensed in the group": {url.Values{"group": {"sales@contoso.com"}, "licensed": {"yes"}}, both(sales, active)},
		"not licensed there":    {url.Values{"group": {"sales@contoso.com"}, "licensed": {"no"}}, append(both(sales, suspended), both(sales, guests)...)},
		"by a reason":           {url.Values{"reason": {"suspended"}, "group": {"sales@contoso.com"}, "licensed": {"no"}, "status": {"suspended"}}, both(sales, suspended)},
		"what is typed":         {url.Values{"q": {"email:user1* AND NOT is:suspended"}, "licensed": {"no"}}, []string{"u07"}[:0]},
		"of another product":    {url.Values{"product": {"drive"}, "q": {"is:licensed"}, "group": {"sales@contoso.com"}}, both(sales, active)},
		"activated":             {url.Values{"activated": {"yes"}}, nil},
		"no such group":         {url.Values{"group": {"nobody@contoso.com"}}, nil},
	} {
		base := "/tenants/contoso/users?"
		text := w.page(base + c.query.Encode())
		got := listed(text)
		if name != "what is typed" {
			slices.Sort(got)
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, got); diff != "" && len(c.want)+len(got) > 0 {
				t.Errorf("%s (-want +listed):\n%s", name, diff)
			}
		}
		a := w.get("/tenants/contoso/users.csv?" + c.query.Encode())
		lines := csvIDs(t, a.body)
		slices.Sort(lines)
		slices.Sort(got)
		if diff := cmp.Diff(got, lines); diff != "" && len(got)+len(lines) > 0 || a.status != http.StatusOK {
			t.Errorf("%s: %d (-page +CSV):\n%s", name, a.status, diff)
		}
	}
	has(t, w.page("/tenants/contoso/users?group=nobody@contoso.com"), "No group has the address nobody@contoso.com", "Nobody in the directory")
}

// The list goes on from page to page, in the order that is asked for, and its CSV is all of it in that order.
func TestUsersComeInPages(t *testing.T) {
	t.Parallel()
	w := lively(t)
	for _, order := range []string{"", "sort=address", "sort=address&desc=1", "sort=licensed", "sort=since&desc=1", "sort=change", "sort=status"} {
		var all []string
		next := "/tenants/contoso/users?" + order
		for pages := 0; next != ""; pages++ {
			text := w.page(next)
			all = append(all, listed(text)...)
			next = ""
			if m := regexp.MustCompile(`id="next" href="([^"]+)"`).FindStringSubmatch(text); m != nil {
				next = strings.ReplaceAll(m[1], "&amp;", "&")
			}
			if pages > 3 {
				t.Fatal("it does not end")
			}
		}
		if diff := cmp.Diff(csvIDs(t, w.get("/tenants/contoso/users.csv?"+order).body), all); diff != "" || len(all) != 60 {
			t.Errorf("%q: %d users (-CSV +pages):\n%s", order, len(all), diff)
		}
	}
	if a := w.get("/tenants/contoso/users?after=nonsense"); a.status != http.StatusBadRequest {
		t.Errorf("behind nothing: %d", a.status)
	}
	has(t, w.page("/tenants/contoso/users?sort=nonsense"), "60 users")
}

func TestUsersAsOfADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.house("contoso")
	w.put("contoso", person("ann", "Ann Archer"), person("bob", "Bob Babbage"))
	day := 24 * time.Hour
	w.decide("contoso", "secure-share",
		decided{user: "ann", licensed: true, reason: licensing.DomainDefault, at: w.origin.Add(-9 * day)},
		decided{user: "ann", reason: licensing.NotAMember, at: w.origin.Add(-4 * day)},
		decided{user: "bob", licensed: true, reason: licensing.DomainDefault, at: w.origin.Add(-4 * day)})
	asOf := func(days int) string {
		return "/tenants/contoso/users?licensed=yes&day=" + w.origin.Add(-time.Duration(days)*day).Format(time.DateOnly)
	}
	for days, want := range map[int]string{12: "", 8: "ann", 4: "bob", 0: "bob"} {
		text := w.page(asOf(days))
		if got := strings.Join(listed(text), " "); got != want {
			t.Errorf("%d days ago: %q, want %q", days, got, want)
		}
	}
	has(t, w.page(asOf(8)), "as the directory has them now", "Every active user of contoso is")
	lacks(t, w.page(asOf(8)), `hx-get="/tenants/contoso/users`)
}

func TestASearchThatCannotBeReadSaysWhere(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	a := w.get("/tenants/contoso/users?q=" + url.QueryEscape("is:licensed AND (<script>"))
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	}
	has(t, a.body, "The search cannot be read at character", `aria-invalid="true"`, `value="is:licensed AND (&lt;script&gt;"`)
	if a := w.get("/tenants/contoso/users.csv?q=" + url.QueryEscape("(")); a.status != http.StatusBadRequest {
		t.Errorf("CSV: %d", a.status)
	}
	if a := w.get("/tenants/contoso/users?product=email"); a.status != http.StatusNotFound {
		t.Errorf("another product: %d", a.status)
	}
}

// What a spreadsheet would take for a formula is a text, and names are what they are.
func TestACSVIsHarmless(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.house("contoso")
	w.put("contoso", directory.User{ID: "u1", Name: `=HYPERLINK("http://evil"), "x"`, Addresses: []string{"+1@contoso.com"}, Status: directory.Active},
		directory.User{ID: "u2", Name: "\u00a0\u200b\x0b=1+1", Addresses: []string{"u2@contoso.com"}, Status: directory.Active})
	w.decide("contoso", "secure-share", decided{user: "u1", licensed: true, reason: licensing.DomainDefault})
	lines, err := csv.NewReader(strings.NewReader(w.get("/tenants/contoso/users.csv").body)).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%v, %v", lines, err)
	}
	slices.SortFunc(lines[1:], func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	if name := lines[2][1]; name != "\u00a0\u200b\x0b'=1+1" {
		t.Errorf("behind what cannot be seen: %q", name)
	}
	if name, address := lines[1][1], lines[1][2]; name != `'=HYPERLINK("http://evil"), "x"` || address != "'+1@contoso.com" {
		t.Errorf("%q, %q", name, address)
	}
}
