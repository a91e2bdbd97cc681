package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

func user(u directory.User) directory.Observation   { return directory.Observation{User: &u} }
func group(g directory.Group) directory.Observation { return directory.Observation{Group: &g} }
func member(group, id string, kind directory.MemberKind, present bool) directory.Observation {
	return directory.Observation{Membership: &directory.Membership{GroupID: group, ID: id, Kind: kind, Present: present}}
}

const next = `"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","@odata.nextLink":"https://graph.microsoft.com/v1.0/users/delta?$skiptoken=a"`

func TestUsers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		item string
		want Page
	}{
		"a member": {
			`{"id":"u1","displayName":"Ada","userPrincipalName":"Ada@Contoso.com","mail":"ada@contoso.com","accountEnabled":true,"userType":"Member",
			  "proxyAddresses":["SMTP:ada@contoso.com","smtp:Lovelace@contoso.com","SIP:ada@contoso.com","x500:/o=c","plain@contoso.com"]}`,
			Page{Observations: []directory.Observation{user(directory.User{ID: "u1", Name: "Ada", Status: directory.Active, Addresses: []string{"ada@contoso.com", "lovelace@contoso.com", "plain@contoso.com"}})}},
		},
		"suspended, properties left out": {
			`{"id":"u1","userPrincipalName":"u@contoso.com","accountEnabled":false}`,
			Page{Observations: []directory.Observation{user(directory.User{ID: "u1", Status: directory.Suspended, Addresses: []string{"u@contoso.com"}})}},
		},
		"guest": {
			`{"id":"u1","userPrincipalName":"eve_fabrikam.com#EXT#@contoso.onmicrosoft.com","mail":"eve@fabrikam.com","accountEnabled":true,"userType":"Guest","proxyAddresses":[]}`,
			Page{Observations: []directory.Observation{user(directory.User{ID: "u1", Status: directory.Active, Guest: true, Addresses: []string{"eve_fabrikam.com#ext#@contoso.onmicrosoft.com", "eve@fabrikam.com"}})}},
		},
		"invited, made a member": {
			`{"id":"u1","userPrincipalName":"eve_f.com#EXT#@c.com","accountEnabled":true,"userType":"Member"}`,
			Page{Observations: []directory.Observation{user(directory.User{ID: "u1", Status: directory.Active, Addresses: []string{"eve_f.com#ext#@c.com"}})}},
		},
		"invited, no type": {
			`{"id":"u1","userPrincipalName":"eve_f.com#EXT#@c.com","accountEnabled":true,"userType":null,"mail":null,"proxyAddresses":null}`,
			Page{Observations: []directory.Observation{user(directory.User{ID: "u1", Status: directory.Active, Guest: true, Addresses: []string{"eve_f.com#ext#@c.com"}})}},
		},
		"soft-deleted":          {`{"id":"u1","@removed":{"reason":"changed"}}`, Page{Observations: []directory.Observation{user(directory.User{ID: "u1", Status: directory.Deleted})}}},
		"deleted for good":      {`{"id":"u1","@removed":{"reason":"deleted"},"accountEnabled":true,"userPrincipalName":"u@c"}`, Page{Observations: []directory.Observation{user(directory.User{ID: "u1", Status: directory.Deleted})}}},
		"@removed as a string":  {`{"@removed":"deleted","id":"u1"}`, Page{Observations: []directory.Observation{user(directory.User{ID: "u1", Status: directory.Deleted})}}},
		"@removed null":         {`{"id":"u1","@removed":null}`, Page{SetAside: []string{"u1"}}},
		"@removed of no kind":   {`{"id":"u1","@removed":7}`, Page{SetAside: []string{"u1"}}},
		"accountEnabled hidden": {`{"id":"u1","userPrincipalName":"u@c","accountEnabled":null}`, Page{SetAside: []string{"u1"}}},
		"partial":               {`{"id":"u1","accountEnabled":true}`, Page{SetAside: []string{"u1"}}},
		"wrong kind":            {`{"id":"u1","userPrincipalName":"u@c","accountEnabled":"true"}`, Page{SetAside: []string{"u1"}}},
		"odd proxy address":     {`{"id":"u1","userPrincipalName":"u@c","accountEnabled":true,"proxyAddresses":["smtp:a@c",7]}`, Page{SetAside: []string{"u1"}}},
		"no id":                 {`{"userPrincipalName":"u@c","accountEnabled":true}`, Page{Nameless: 1}},
		"id of no kind":         {`{"id":"a.b","@removed":{}}`, Page{Nameless: 1}},
		"no object":             {`"u1"`, Page{Nameless: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := `{"id":"z","userPrincipalName":"z@c","accountEnabled":true}`
			got, err := Users([]byte(`{` + next + `,"value":[` + c.item + `,` + good + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			c.want.Next = "https://graph.microsoft.com/v1.0/users/delta?$skiptoken=a"
			c.want.Observations = append(c.want.Observations, user(directory.User{ID: "z", Status: directory.Active, Addresses: []string{"z@c"}}))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestGroupKinds(t *testing.T) {
	t.Parallel()
	for item, want := range map[string]directory.Group{
		`{"id":"g","displayName":"G","mail":"G@c.com","proxyAddresses":["smtp:old@c.com","SMTP:g@c.com"],"groupTypes":["Unified"],"mailEnabled":true,"securityEnabled":false}`: {ID: "g", Name: "G", Kind: directory.Microsoft365, Addresses: []string{"g@c.com", "old@c.com"}},
		`{"id":"g","groupTypes":["DynamicMembership","Unified"],"mailEnabled":true,"securityEnabled":true}`:                                                                    {ID: "g", Kind: directory.Microsoft365},
		`{"id":"g","groupTypes":[],"mailEnabled":false,"securityEnabled":true}`:                                                                                                {ID: "g", Kind: directory.Security},
		`{"id":"g","groupTypes":["DynamicMembership"],"mailEnabled":false,"securityEnabled":true}`:                                                                             {ID: "g", Kind: directory.Security},
		`{"id":"g","mailEnabled":true,"securityEnabled":true}`:                                                                                                                 {ID: "g", Kind: directory.MailEnabledSecurity},
		`{"id":"g","groupTypes":null,"mailEnabled":true,"securityEnabled":false,"proxyAddresses":["SMTP:d@c.com"]}`:                                                            {ID: "g", Kind: directory.Distribution, Addresses: []string{"d@c.com"}},
		`{"id":"g","@removed":{"reason":"changed"}}`:                                                                                                                           {ID: "g", Deleted: true},
	} {
		got, err := Group([]byte(item))
		if err != nil {
			t.Errorf("%s: %v", item, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", item, diff)
		}
		page, err := Groups([]byte(`{"value":[` + item + `,{"id":"partial","displayName":"P"},7],"@odata.deltaLink":"d"}`))
		if err != nil {
			t.Errorf("%s: %v", item, err)
		}
		if diff := cmp.Diff(Page{Observations: []directory.Observation{group(want)}, SetAside: []string{"partial"}, Nameless: 1, Delta: "d"}, page); diff != "" {
			t.Errorf("%s: -want +got\n%s", item, diff)
		}
	}
}

func TestMemberChanges(t *testing.T) {
	t.Parallel()
	added := func(id string) string { return `{"@odata.type":"#microsoft.graph.user","id":"` + id + `"}` }
	removed := func(id string) string {
		return `{"@odata.type":"#microsoft.graph.user","id":"` + id + `","@removed":{"reason":"deleted"}}`
	}
	unclear := func(id string) directory.Membership {
		return directory.Membership{GroupID: "g", ID: id, Kind: directory.UserMember, Present: true}
	}
	for name, c := range map[string]struct {
		value string
		want  Page
	}{
		"added and removed": {
			`{"id":"g","displayName":"T","members@delta":[` + removed("a") + `,` + added("b") + `]}`,
			Page{Observations: []directory.Observation{member("g", "a", directory.UserMember, false), member("g", "b", directory.UserMember, true)}},
		},
		"kinds": {
			`{"members@delta":[{"@odata.type":"#microsoft.graph.group","id":"n"},{"@odata.type":"#Microsoft.Graph.User","id":"u"},{"@odata.type":"#microsoft.graph.device","id":"d"}],"id":"g"}`,
			Page{Observations: []directory.Observation{member("g", "n", directory.GroupMember, true), member("g", "u", directory.UserMember, true), member("g", "d", directory.OtherMember, true)}},
		},
		"the same in two slices":           {`{"id":"g","members@delta":[` + added("a") + `]},{"id":"g","members@delta":[` + added("a") + `,` + added("b") + `]}`, Page{Observations: []directory.Observation{member("g", "a", directory.UserMember, true), member("g", "b", directory.UserMember, true)}}},
		"both ways":                        {`{"id":"g","members@delta":[` + added("a") + `,` + removed("a") + `,` + added("b") + `]}`, Page{Observations: []directory.Observation{member("g", "b", directory.UserMember, true)}, Unclear: []directory.Membership{unclear("a")}}},
		"both ways in two slices":          {`{"id":"g","members@delta":[` + added("a") + `]},{"id":"g","members@delta":[` + removed("a") + `]}`, Page{Unclear: []directory.Membership{unclear("a")}}},
		"both ways thrice":                 {`{"id":"g","members@delta":[` + added("a") + `,` + removed("a") + `,` + added("a") + `]}`, Page{Unclear: []directory.Membership{unclear("a")}}},
		"both ways in two groups is clear": {`{"id":"g","members@delta":[` + added("a") + `]},{"id":"h","members@delta":[` + removed("a") + `]}`, Page{Observations: []directory.Observation{member("g", "a", directory.UserMember, true), member("h", "a", directory.UserMember, false)}}},
		"no kind":                          {`{"id":"g","members@delta":[{"id":"a"}]}`, Page{Unclear: []directory.Membership{{GroupID: "g", ID: "a", Present: true}}}},
		"no kind at first":                 {`{"id":"g","members@delta":[{"id":"a"},` + removed("a") + `]}`, Page{Unclear: []directory.Membership{unclear("a")}}},
		"member without id":                {`{"id":"g","members@delta":[{"@odata.type":"#microsoft.graph.user"},` + added("b") + `]}`, Page{Observations: []directory.Observation{member("g", "b", directory.UserMember, true)}, Unclear: []directory.Membership{unclear("")}}},
		"members of a wrong kind":          {`{"id":"g","members@delta":{}}`, Page{Unclear: []directory.Membership{{GroupID: "g"}}}},
		"no members":                       {`{"id":"g","displayName":"T"},{"id":"h","members@delta":null},{"id":"i","members@delta":[]}`, Page{}},
		"deleted group":                    {`{"id":"g","@removed":{"reason":"changed"},"members@delta":[` + removed("a") + `]}`, Page{Observations: []directory.Observation{group(directory.Group{ID: "g", Deleted: true})}}},
		"odd items":                        {`null,{"members@delta":[` + added("a") + `]},{"id":"g","members@delta":[` + added("b") + `]}`, Page{Nameless: 2, Observations: []directory.Observation{member("g", "b", directory.UserMember, true)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := MemberChanges([]byte(`{"@odata.deltaLink":"d","value":[` + c.value + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			c.want.Delta = "d"
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	got, err := Members([]byte(`{"@odata.nextLink":"n","value":[{"@odata.type":"#microsoft.graph.user","id":"u"},{"id":"x"},{"@odata.type":"#microsoft.graph.group","id":"n","displayName":null},{"@odata.type":7,"id":"odd"},{}]}`), "g")
	if err != nil {
		t.Fatal(err)
	}
	want := Page{
		Observations: []directory.Observation{member("g", "u", directory.UserMember, true), member("g", "x", directory.UserMember, true), member("g", "n", directory.GroupMember, true)},
		SetAside:     []string{"odd"}, Nameless: 1, Next: "n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestSingleReadsAreStrict(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{}`, `{"id":"u","userPrincipalName":"u@c"}`, `{"id":"u","accountEnabled":true,"userPrincipalName":"u@c"} x`, `[]`, `{"value":[]}`} {
		if got, err := User([]byte(body)); err == nil {
			t.Errorf("User(%s) = %v, want an error", body, got)
		}
		if got, err := Group([]byte(body)); err == nil {
			t.Errorf("Group(%s) = %v, want an error", body, got)
		}
	}
}

// FuzzPages holds the page decoders to encoding/json: they accept JSON only, keep the links, and account for every item.
func FuzzPages(f *testing.F) {
	for _, body := range []string{
		`{` + next + `,"value":[{"id":"u1","userPrincipalName":"a@c","accountEnabled":true,"proxyAddresses":["SMTP:a@c"]},{"id":"u2","@removed":{"reason":"deleted"}}]}`,
		`{"@odata.deltaLink":"d","value":[{"id":"g","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"a"},{"id":"a","@removed":"deleted"}]},null]}`,
		`{"value":[{"id":"g","mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]}],"@odata.nextLink":null}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		users, err := Users(body)
		groups, errGroups := Groups(body)
		_, errMembers := MemberChanges(body)
		if (err == nil) != (errGroups == nil) || (err == nil) != (errMembers == nil) {
			t.Fatalf("the decoders differ: %v, %v, %v", err, errGroups, errMembers)
		}
		if err != nil {
			return
		}
		var oracle struct {
			Value []json.RawMessage `json:"value"`
		}
		if e := json.Unmarshal(body, &oracle); e != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", e)
		}
		if strings.Count(strings.ToLower(string(body)), "value") > 1 || strings.Contains(string(body), `\`) {
			return
		}
		for _, p := range []Page{users, groups} {
			if n := len(p.Observations) + len(p.SetAside) + p.Nameless; n != len(oracle.Value) {
				t.Fatalf("accounted for %d items of %d", n, len(oracle.Value))
			}
		}
	})
}

func BenchmarkUsers(b *testing.B) {
	item := `{"id":"632f6bb2-0000-0000-0000-000000000001","displayName":"Ada Lovelace","userPrincipalName":"ada@contoso.com","mail":"ada@contoso.com","accountEnabled":true,"userType":"Member","proxyAddresses":["SMTP:ada@contoso.com"]},`
	body := []byte(`{"value":[` + strings.TrimSuffix(strings.Repeat(item, 100), ",") + `]}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := Users(body); err != nil {
			b.Fatal(err)
		}
	}
}
