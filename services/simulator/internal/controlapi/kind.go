package controlapi

import (
	"crypto/rand"
	"crypto/sha256"
	"regexp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// kind is what differs between the providers in the names that they give.
type kind struct {
	directoryID, userID, groupID       *regexp.Regexp
	directoryWant, userWant, groupWant string
	directory                          func(seed string) string
	userFrom                           func([16]byte) string
	newUser, newGroup                  func() string
	groups                             []directory.GroupKind // the first is the usual one
	guestMark                          string                // in the sign-in name of a guest
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

const wantGUID = "a GUID in lower case"

func kindOf(p directory.Provider) kind {
	if p == directory.GoogleWorkspace {
		return workspaceKind()
	}
	return kind{
		directoryID: guid, userID: guid, groupID: guid,
		directoryWant: wantGUID, userWant: wantGUID, groupWant: wantGUID,
		directory: func(seed string) string { sum := sha256.Sum256([]byte(seed)); return store.GUID([16]byte(sum[:16])) },
		userFrom:  store.GUID,
		newUser:   store.NewID, newGroup: store.NewID,
		groups:    []directory.GroupKind{directory.Microsoft365, directory.Security, directory.MailEnabledSecurity, directory.Distribution},
		guestMark: "#EXT#@",
	}
}

var (
	customerID       = regexp.MustCompile(`^C[a-z0-9]{8}$`)
	workspaceUserID  = regexp.MustCompile(`^1[0-9]{20}$`)
	workspaceGroupID = regexp.MustCompile(`^0[a-z0-9]{14}$`)
)

func workspaceKind() kind {
	userFrom := func(raw [16]byte) string { return store.WorkspaceUserID([8]byte(raw[:8])) }
	return kind{ //nolint:gosec // G101: ids
		directoryID: customerID, userID: workspaceUserID, groupID: workspaceGroupID,
		directoryWant: "C and 8 of a-z, 0-9", userWant: "21 digits that begin with 1", groupWant: "0 and 14 of a-z, 0-9",
		directory: func(seed string) string {
			sum := sha256.Sum256([]byte(seed))
			return store.CustomerID([8]byte(sum[:8]))
		},
		userFrom:  userFrom,
		newUser:   func() string { return userFrom([16]byte(random())) },
		newGroup:  func() string { return store.WorkspaceGroupID([14]byte(random()[:14])) },
		groups:    []directory.GroupKind{directory.WorkspaceGroup},
		guestMark: ".guest@",
	}
}

func random() []byte {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it does not fail
	return b
}
