package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// groupsPage is a part of the list of groups.
type groupsPage struct {
	Search      string
	Here        string
	Rows        []groupRow
	Next, First string
	Unread      bool // the directory is not read yet
}

// groupRow is one group, with what it is for.
type groupRow struct {
	ledger.GroupRow
	Path   string
	Kind   string
	Badges []badge
}

// groupsAPage is how many groups, or members of one, are on a page.
const groupsAPage = 50

func (p *Pages) groups(w http.ResponseWriter, r *http.Request, s *scope) error {
	q := r.URL.Query()
	search, after := strings.TrimSpace(q.Get("q")), q.Get("after")
	base := s.Path() + "/groups"
	page := groupsPage{Search: search, Unread: !s.State.Ready(), Here: groupsLink(base, search, after)}
	if !page.Unread {
		found, err := p.deps.Ledger.Groups(r.Context(), ledger.GroupsQuery{Tenant: s.Tenant.ID, Search: search, After: after, Limit: groupsAPage})
		if errors.Is(err, ledger.ErrNoPage) {
			return badRequest("The list has no such page any more. Begin again with the first.")
		}
		if err != nil {
			return err
		}
		for _, g := range found.Groups {
			page.Rows = append(page.Rows, s.groupRow(g))
		}
		if found.Next != "" {
			page.Next = groupsLink(base, search, found.Next)
		}
		if after != "" {
			page.First = groupsLink(base, search, "")
		}
	}
	return p.show(w, r, http.StatusOK, "groups", frame{Title: "Groups", Section: "users", Scope: s, Body: page})
}

func groupsLink(base, search, after string) string {
	q := url.Values{}
	if search != "" {
		q.Set("q", search)
	}
	if after != "" {
		q.Set("after", after)
	}
	if len(q) == 0 {
		return base
	}
	return base + "?" + q.Encode()
}

// groupRow says what a group is for.
func (s *scope) groupRow(g ledger.GroupRow) groupRow {
	row := groupRow{GroupRow: g, Path: s.Path() + "/groups/" + url.PathEscape(g.ID), Kind: groupKind(g.Kind)}
	for _, product := range g.Provisions {
		row.Badges = append(row.Badges, badge{"good", "check", "Provisions " + s.Product(product)})
	}
	for _, product := range g.Named {
		if !slices.Contains(g.Provisions, product) {
			row.Badges = append(row.Badges, badge{"warn", "clock", "Has the address for " + s.Product(product) + ", not in force"})
		}
	}
	if g.Kept && len(row.Badges) == 0 {
		row.Badges = []badge{{"info", "people", "Inside a provisioning group"}}
	}
	if g.Whole {
		row.Badges = append(row.Badges, badge{"info", "people", "Holds everybody"})
	}
	return row
}

func groupKind(k directory.GroupKind) string {
	switch k {
	case directory.Microsoft365:
		return "Microsoft 365"
	case directory.Security:
		return "Security"
	case directory.MailEnabledSecurity:
		return "Mail-enabled security"
	case directory.Distribution:
		return "Distribution"
	case directory.WorkspaceGroup:
		return "Workspace"
	}
	return string(k)
}

// groupPage is one group: what is inside it, and who.
type groupPage struct {
	groupRow
	Tree        groupNode
	More        bool // the tree has groups that are not shown
	Here        string
	Members     []ledger.UserState
	Next, First string
	Users       string // the list of all users in it
}

// groupNode is a group with those inside it, as a page shows them.
type groupNode struct {
	groupRow
	Inside []groupNode
	Again  bool
}

func (p *Pages) group(w http.ResponseWriter, r *http.Request, s *scope) error {
	ctx, id, after := r.Context(), r.PathValue("group"), r.URL.Query().Get("after")
	root, more, err := p.deps.Ledger.GroupTree(ctx, s.Tenant.ID, id)
	if errors.Is(err, ledger.ErrNoGroup) || err == nil && root.ID != id { // an address is not what a page is called by: it moves
		return errNotFound
	}
	if err != nil {
		return err
	}
	page := groupPage{groupRow: s.groupRow(root.GroupRow), Tree: s.groupNode(root), More: more}
	page.Here, page.Users = groupsLink(page.Path, "", after), s.Path()+"/users?group="+url.QueryEscape(first(root.Addresses))
	if len(root.Addresses) == 0 {
		page.Users = s.Path() + "/users?group=" + url.QueryEscape(root.ID)
	}
	if root.Kept {
		members, next, err := p.deps.Ledger.GroupMembers(ctx, s.Tenant.ID, id, after, groupsAPage)
		if errors.Is(err, ledger.ErrNoPage) {
			return badRequest("The list has no such page any more. Begin again with the first.")
		}
		if err != nil {
			return err
		}
		page.Members = members
		if next != "" {
			page.Next = groupsLink(page.Path, "", next)
		}
		if after != "" {
			page.First = page.Path
		}
	}
	title := root.Name
	if title == "" {
		title = root.ID
	}
	return p.show(w, r, http.StatusOK, "group", frame{Title: title, Section: "users", Scope: s, Body: page})
}

func (s *scope) groupNode(n ledger.GroupNode) groupNode {
	node := groupNode{groupRow: s.groupRow(n.GroupRow), Again: n.Again}
	for _, inside := range n.Inside {
		node.Inside = append(node.Inside, s.groupNode(inside))
	}
	return node
}
