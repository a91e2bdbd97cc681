package signin

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
)

// developer is in place of an issuer's id for whoever has proved nothing.
const developer = "development"

// development signs in whoever asks for it, as what is asked for. The configuration lets it run on a loopback listener alone; it
// looks for itself all the same, at what a page in a browser on this machine cannot choose.
func (s *SignIn) development(w http.ResponseWriter, r *http.Request) {
	if !s.cfg.Development || !local(r) {
		s.refuse(w, r, http.StatusForbidden, refusal{Why: "development-login", Text: "This Control Center has no login without a proof."})
		return
	}
	who := session.Identity{Issuer: developer, Role: access.Role(r.PostFormValue("role")), Tenants: words(r.PostFormValue("tenants"))}
	who.Subject, who.Name = string(who.Role), "Development "+strings.ReplaceAll(string(who.Role), "-", " ")
	if fault := developerFault(who); fault != "" {
		s.refuse(w, r, http.StatusBadRequest, refusal{Why: "development-form", Text: fault})
		return
	}
	s.begin(w, r, who, developerPrincipal(who), r.PostFormValue("next"))
}

func developerFault(who session.Identity) string {
	switch {
	case !slices.Contains(access.Roles, who.Role):
		return "Choose one of the roles."
	case who.Role == access.TenantAdmin && len(who.Tenants) == 0:
		return "A tenant admin is bound to one tenant at least: name it."
	case len(who.Tenants) > 100 || slices.ContainsFunc(who.Tenants, func(t string) bool { return !event.ValidSlug(t) }):
		return "Name tenants by their ids, with spaces between."
	}
	return ""
}

func developerPrincipal(who session.Identity) access.Principal {
	return access.Principal{ID: idOf(who), Name: who.Name, Role: who.Role, Tenants: who.Tenants}
}

// words are what stands between spaces and commas; nil for nothing.
func words(s string) []string {
	all := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
	if len(all) == 0 {
		return nil
	}
	return all
}

// local reports whether a request comes from this machine and to a name of this machine. A name that somebody has made to mean
// this machine is not enough, and neither is a proxy on it.
func local(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")).IsLoopback()
}
