package ledger_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// conformance is what a ledger does, whatever database it is on.
var conformance = map[string]func(*testing.T, ledgertest.Backend){
	"a failed transaction leaves nothing":                  failedTransactionLeavesNothing,
	"a cancelled transaction leaves the ledger usable":     cancelledTransactionLeavesTheLedgerUsable,
	"a failed statement fails the transaction":             failedStatementFailsTheTransaction,
	"it survives reopening":                                ledgerSurvivesReopening,
	"a newer schema is refused":                            newerSchemaIsRefused,
	"only a server is shared":                              onlyAServerIsShared,
	"writers take turns":                                   writersTakeTurns,
	"readers see whole transactions":                       readersSeeWholeTransactions,
	"readers see what is committed":                        readerSeesWhatIsCommittedWhileTheWriterWrites,
	"stamps order what is known":                           stampsOrderWhatIsKnown,
	"older than the snapshot and without a row is dropped": withoutARowOlderThanTheSnapshotIsDropped,
	"forgotten memberships count again when seen again":    forgottenMembershipsCountAgainWhenSeenAgain,
	"tenants are stored whole":                             tenantsAreStoredWhole,
	"stale tenants are found":                              staleTenantsAreFound,
	"degraded connections are found":                       degradedConnectionsAreFound,
	"credentials are found whose end is known":             credentialsAreFound,
	"products are stored whole":                            productsAreStoredWhole,
	"users come in order":                                  usersComeInOrder,
	"groups keep their addresses":                          groupsKeepTheirAddresses,
	"parked revocations are found":                         parkedRevocationsAreFound,
	"groups are found around a group":                      groupsAreFoundAroundAGroup,
	"members are of three kinds":                           membersAreOfThreeKinds,
	"what a snapshot did not show are candidates":          candidates,
	"odd texts are held":                                   oddTextsAreHeld,
	"snapshots wait for their proofs":                      snapshotsWaitForTheirProofs,
	"the outbox keeps its order":                           outboxKeepsItsOrder,
	"positions are of one stream":                          positionsAreOfOneStream,
	"decisions have a history":                             decisionsHaveAHistory,
	"held changes are stored whole":                        heldChangesAreStoredWhole,
	"lists of held changes fold":                           listsOfHeldChangesFold,
	"licenses are held against a reason":                   licensesAreHeldAgainstAReason,
	"jobs take turns":                                      jobsTakeTurns,
	"the waiting line keeps its order":                     lineKeepsItsOrder,
	"revocations are counted by the minute":                revocationsAreCountedByTheMinute,
	"causes are kept once":                                 causesAreKeptOnce,
	"erased tenants are gone":                              erasedTenantsAreGone,
	"nests are walked down":                                nestsAreWalkedDown,
	"new ledgers are empty":                                newLedgersAreEmpty,
	"older ledgers are brought up to date":                 olderLedgersAreBroughtUpToDate,
	"bulks are ledgers":                                    bulksAreLedgers,
	"doubts are asked for":                                 doubtsAreAskedFor,
	"what a complete read missed is doubted":               missedThingsAreDoubted,
	"who leaves is decided about later":                    whoLeavesIsDecidedAboutLater,
	"usage is counted by the minute":                       usageIsCountedByTheMinute,
	"groups are listed with what is in them":               groupsAreListedWithWhatIsInThem,
	"large groups are counted to the bound":                largeGroupsAreCountedToTheBound,
	"trees of groups end":                                  treesOfGroupsEnd,
	"lists say what they cannot tell":                      listsSayWhatTheyCannotTell,
	"lists are what a model says":                          listsAreWhatAModelSays,
	"the reader finds users":                               findUsers,
	"the reader tells decisions and their history":         readerTellsDecisionsAndTheirHistory,
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, test := range conformance {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledgertest.Each(t, test)
		})
	}
}

// Every method that others can call is called by a test that runs on every database.
func TestEveryMethodIsTestedOnEveryDatabase(t *testing.T) {
	t.Parallel()
	called := calls(t)
	for _, of := range []reflect.Type{reflect.TypeFor[*ledger.Ledger](), reflect.TypeFor[*ledger.Reader](), reflect.TypeFor[*ledger.Tx]()} {
		for i := range of.NumMethod() {
			if name := of.Method(i).Name; !called[name] {
				t.Errorf("no test on every database calls %s.%s", of.Elem().Name(), name)
			}
		}
	}
}

// calls returns the names of all methods that are called in functions that take a Backend, and in their helpers.
func calls(t *testing.T) map[string]bool {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), ".", func(f fs.FileInfo) bool { return strings.HasSuffix(f.Name(), "_test.go") }, 0) //nolint:staticcheck // all files here are of one build
	if err != nil {
		t.Fatal(err)
	}
	called := map[string]bool{}
	for _, file := range packages["ledger_test"].Files {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					called[s.Sel.Name] = true
				}
				return true
			})
		}
	}
	return called
}

func open(t *testing.T, address string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func update(t *testing.T, l *ledger.Ledger, do func(*ledger.Tx) error) {
	t.Helper()
	if err := l.Update(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}

func at(counter uint64) directory.Stamp { return directory.Stamp{Epoch: 1, Counter: counter} }

func alice(status directory.Status) directory.User {
	return directory.User{ID: "alice", Name: "Alice", Addresses: []string{"alice@contoso.com", "a@contoso.com"}, Status: status}
}

// tenant returns the tenant that most tests are about.
func tenant(t *testing.T, tx *ledger.Tx) ledger.Tenant {
	t.Helper()
	found, err := tx.Tenant("contoso")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func escape(path string) string { return (&url.URL{Path: path}).EscapedPath() }

func changeOf(group string, settleAt time.Time) licensing.State {
	return licensing.State{
		Phase: licensing.InForce, Policy: licensing.Policy{Mode: licensing.GroupMembers, Group: "old"}, Conflict: true,
		Change: &licensing.Change{Group: group, Empty: true, SettleAt: settleAt},
	}
}
