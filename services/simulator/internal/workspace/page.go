package workspace

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// tokenLife is how long a page token is honoured. Source: the description of Users.nextPageToken.
const tokenLife = 3 * 24 * time.Hour

// pageToken says where a list goes on: behind the last entry that was shown, by what the list is ordered by. It holds no
// offset, so that what comes and goes in front of it shifts nothing.
type pageToken struct {
	List    string `json:"l"`           // of which list, by its parameters
	Name    string `json:"n,omitempty"` // of the last entry, where the list is ordered by names
	Address string `json:"a,omitempty"`
	ID      string `json:"i"`
	Issued  int64  `json:"t"` // seconds since 1970
}

func (t pageToken) place() store.Place { return store.Place{Address: t.Address, ID: t.ID} }

func (t pageToken) String() string {
	raw, _ := json.Marshal(t) // strings and numbers always encode
	return base64.RawURLEncoding.EncodeToString(raw)
}

// listID is the same for the pages of one list: only the size of a page may differ between them.
func (c *call) listID() string {
	params := url.Values{}
	for name, values := range c.query {
		switch name {
		case "pageToken", "maxResults", "fields", "alt", "prettyPrint", "key", "quotaUser", "access_token":
		default:
			params[name] = values
		}
	}
	sum := sha256.Sum256([]byte(c.tenant().DirectoryID + " " + c.r.URL.Path + "?" + params.Encode()))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// pageToken reads the token of the request, a zero one for the first page.
func (s *Server) pageToken(c *call) (pageToken, error) {
	text := c.query.Get("pageToken")
	if text == "" {
		return pageToken{List: c.listID()}, nil
	}
	t, ok := parsePageToken(text)
	if !ok || c.spoil.Kind == control.Expired || t.List != c.listID() || s.Clock.Now().Sub(time.Unix(t.Issued, 0)) > tokenLife {
		return pageToken{}, googleerror.Invalid("Invalid Input: pageToken")
	}
	return t, nil
}

func parsePageToken(text string) (pageToken, bool) {
	var t pageToken
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return t, err == nil && json.Unmarshal(raw, &t) == nil && t.ID != ""
}

// next is the token for the page behind an entry.
func (s *Server) next(list, name string, last store.Place) string {
	return pageToken{List: list, Name: name, Address: last.Address, ID: last.ID, Issued: s.Clock.Now().Unix()}.String()
}

// pageSize reads maxResults. More than the API's limit is refused with strict, else lowered to it.
func (s *Server) pageSize(c *call, standard, limit int, strict bool) (int, error) {
	size := standard
	if text := c.query.Get("maxResults"); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 || strict && int(n) > limit {
			e := googleerror.InvalidParameter("maxResults", text)
			return 0, e
		}
		size = min(int(n), limit)
	}
	if cap := s.Settings().PageSize; cap > 0 {
		size = min(size, cap)
	}
	shortened := c.spoil.Size(size)
	c.short = shortened < size
	return shortened, nil
}
