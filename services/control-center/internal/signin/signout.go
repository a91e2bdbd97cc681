package signin

import (
	"net/http"
	"net/url"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
)

// signedOut is what an issuer gives back as the state of a sign-out.
const signedOut = "signed-out"

// signOut ends the session, and then that at the issuer, where it has a way to.
func (s *SignIn) signOut(w http.ResponseWriter, r *http.Request) {
	who, ok, err := s.deps.Sessions.Read(r)
	if err != nil {
		ok = false
	}
	if err := s.deps.Sessions.End(w, r); err != nil {
		s.unavailable(w, r, err)
		return
	}
	hint := s.deps.Sessions.TakeHint(w, r)
	if ok {
		s.deps.Logger.InfoContext(r.Context(), "signed out", "principal", idOf(who))
		if to, name := s.endAt(r, who, hint); to != "" {
			s.goOn(w, r, to, name)
			return
		}
	}
	http.Redirect(w, r, "/sign-in?out", http.StatusSeeOther)
}

// endAt is where somebody's issuer signs people out (OpenID Connect RP-Initiated Logout 1.0), and what it is called; "" where it
// does not, or does not answer.
func (s *SignIn) endAt(r *http.Request, who session.Identity, hint string) (to, name string) {
	configured, ok := s.deps.Access.Now(r.Context()).Issuer(who.Issuer)
	if !ok {
		return "", ""
	}
	found, err := s.deps.Issuers.Find(r.Context(), configured.Issuer, configured.CAFile)
	if err != nil {
		s.deps.Logger.WarnContext(r.Context(), "nobody is signed out at the issuer", "issuer", configured.ID, "error", err)
		return "", ""
	}
	end, err := url.Parse(found.EndSession)
	if err != nil || found.EndSession == "" {
		return "", ""
	}
	q := end.Query()
	q.Set("client_id", configured.ClientID)
	q.Set("post_logout_redirect_uri", s.cfg.PublicURL+"/sign-in")
	q.Set("state", signedOut)
	if hint != "" {
		q.Set("id_token_hint", hint)
	}
	end.RawQuery = q.Encode()
	return end.String(), configured.Name
}

// goOn sends the browser to its issuer by a page: from a form, browsers follow no redirect to elsewhere, see form-action in the
// content security policy.
func (s *SignIn) goOn(w http.ResponseWriter, r *http.Request, to, name string) {
	w.Header().Set("Refresh", "0; url="+to)
	s.show(w, r, http.StatusOK, shown{
		Title: "You are signed out here", Text: "Your browser goes on to " + name + ", to be signed out there too.", Onward: to, OnwardTo: name,
	})
}
