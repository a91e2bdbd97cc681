package pages

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"strings"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
)

//go:embed templates
var templateFiles embed.FS

// loadPages reads the templates: one file a page, which defines "content", beside those that all share.
func (p *Pages) loadPages() (map[string]page, error) {
	shared, err := template.New("frame").Funcs(p.funcs()).ParseFS(templateFiles, "templates/shared/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("find the templates: %w", err)
	}
	pages := map[string]page{}
	for _, file := range files {
		t, err := shared.Clone()
		if err == nil {
			t, err = t.ParseFS(templateFiles, file)
		}
		if err != nil {
			return nil, fmt.Errorf("read the template %s: %w", file, err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")
		pages[name] = page{whole: t.Lookup("frame"), part: t.Lookup("part")}
	}
	return pages, nil
}

func (p *Pages) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":     p.assets.path,
		"copied":    func(id, label, value string) copied { return copied{id, label, value} },
		"connects":  func(who access.Principal) bool { return p.connecting() && who.Connects() },
		"nav":       navOf,
		"age":       p.ageOf,
		"moment":    momentOf,
		"until":     p.untilOf,
		"number":    number[int],
		"sequence":  number[uint64],
		"count":     count,
		"upto":      upTo,
		"uptoUsers": upToUsers,
		"first":     first,
		"channel":   channelBadge,
		"badge":     func(kind, icon, text string) badge { return badge{kind, icon, text} },
		"licensed":  licensedBadge,
		"status":    statusBadge,
		"provider":  providerWord,
		"role":      roleWord,
		"sentence":  sentence,
		"reason":    reasonWord,
	}
}

// copied is a value that people take elsewhere.
type copied struct{ ID, Label, Value string }

// navItem is one place of the navigation.
type navItem struct {
	Path, Icon, Text string
	Here             bool
}

func navOf(f frame, section, path, icon, text string) navItem {
	return navItem{Path: f.Scope.Path() + path, Icon: icon, Text: text, Here: f.Section == section}
}
