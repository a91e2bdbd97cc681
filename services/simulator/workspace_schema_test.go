package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// discovery is what is used of a discovery document of Google's.
type discovery struct {
	Schemas map[string]*property
}

type property struct {
	Ref        string `json:"$ref"`
	Type       string
	Format     string
	Enum       []string
	Properties map[string]*property
	Items      *property
	Additional *property `json:"additionalProperties"`
}

// readDiscovery reads the document that ships in Google's Go client.
func readDiscovery(t *testing.T, path string) *discovery {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		t.Fatalf("find Google's client: %v", err)
	}
	raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), path))
	if err != nil {
		t.Fatal(err)
	}
	d := &discovery{}
	if err := json.Unmarshal(raw, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// check returns what is wrong with a value that should be of the property.
func (d *discovery) check(at string, p *property, v any) []string {
	if p.Ref != "" {
		p = d.Schemas[p.Ref]
	}
	bad := func(format string, args ...any) []string { return []string{at + ": " + fmt.Sprintf(format, args...)} }
	switch p.Type {
	case "object":
		fields, ok := v.(object)
		if !ok {
			return bad("%v is no object", v)
		}
		return d.checkFields(at, p, fields)
	case "array":
		list, ok := v.([]any)
		if !ok {
			return bad("%v is no list", v)
		}
		var out []string
		for i, item := range list {
			out = append(out, d.check(at+"/"+strconv.Itoa(i), p.Items, item)...)
		}
		return out
	case "boolean":
		if _, ok := v.(bool); !ok {
			return bad("%v is no boolean", v)
		}
	case "integer":
		if _, ok := v.(float64); !ok {
			return bad("%v is no number", v)
		}
	case "string":
		text, ok := v.(string)
		if !ok || !formatted(p.Format, text) || p.Enum != nil && !slices.Contains(p.Enum, text) {
			return bad("%v is no string of format %q", v, p.Format)
		}
	case "any":
	default:
		return bad("a property of type %q", p.Type)
	}
	return nil
}

func (d *discovery) checkFields(at string, p *property, fields object) []string {
	var out []string
	for name, v := range fields {
		below, known := p.Properties[name]
		switch {
		case known:
			out = append(out, d.check(at+"/"+name, below, v)...)
		case p.Additional == nil:
			out = append(out, at+"/"+name+": not in the schema")
		}
	}
	return out
}

func formatted(format, text string) bool {
	var err error
	switch format {
	case "int64":
		_, err = strconv.ParseInt(text, 10, 64)
	case "date-time":
		_, err = time.Parse(time.RFC3339, text)
	}
	return err == nil
}

// TestWorkspaceAnswersFollowTheSchemas walks answers of every kind.
func TestWorkspaceAnswersFollowTheSchemas(t *testing.T) {
	t.Parallel()
	d := readDiscovery(t, "admin/directory/v1/admin-api.json")
	c := initech(t, simulator.Config{}, nil)
	ctx := t.Context()
	must(c.control.Generate(ctx, "initech", control.Generate{Users: 300, Groups: 10, Seed: 5}))(t)
	team, ann, bob, _ := fullTeam(c)
	must(c.control.AddUser(ctx, "initech", control.NewUser{Address: "eve@fabrikam.com", Guest: true}))(t)
	must(c.control.Suspend(ctx, "initech", ann))(t)
	must(c.control.Archive(ctx, "initech", bob))(t)
	must(c.control.RenameUser(ctx, "initech", ann, control.Rename{Address: "lee@initech.com"}))(t)
	must(c.control.AddGroupAlias(ctx, "initech", team, "crew@initech.com"))(t)
	gone := c.person("gone")
	must(c.control.RemoveUser(ctx, "initech", gone))(t)
	for path, schema := range map[string]string{
		"users?customer=my_customer&maxResults=500&projection=full":  "Users",
		"users?customer=my_customer&maxResults=3&orderBy=familyName": "Users",
		"users?customer=my_customer&showDeleted=true":                "Users",
		"users?customer=my_customer&query=email=nobody@initech.com":  "Users",
		"users/" + ann:                           "User",
		"users/" + bob:                           "User",
		"users/" + initechAdmin:                  "User",
		"groups?customer=my_customer":            "Groups",
		"groups?domain=initech.com&maxResults=2": "Groups",
		"groups/" + team:                         "Group",
		"groups/" + team + "/members":            "Members",
		"groups/" + team + "/members?includeDerivedMembership=true&maxResults=2": "Members",
		"groups/" + team + "/members/" + ann:                                     "Member",
		"groups/" + team + "/hasMember/" + bob:                                   "MembersHasMember",
	} {
		out := c.read(path)
		for _, wrong := range d.check(schema, &property{Ref: schema}, any(out)) {
			t.Errorf("%s: %s", path, wrong)
		}
		if tag, _ := out["etag"].(string); schema != "MembersHasMember" && tag == "" {
			t.Errorf("%s: no ETag", path)
		}
	}
	status, out := c.admin(http.MethodPost, "directory/v1/users/watch?customer=my_customer", object{"id": "c", "type": "web_hook", "address": "https://127.0.0.1:1/"})
	if wrong := d.check("Channel", &property{Ref: "Channel"}, any(out)); status != http.StatusOK || wrong != nil {
		t.Errorf("watch: %d %v", status, wrong)
	}
	if wrong := d.check("User", &property{Ref: "User"}, any(object{"id": 7.0, "nick": "x", "creationTime": "now", "suspended": "no"})); len(wrong) != 4 {
		t.Errorf("the check found only %v", wrong)
	}
}
