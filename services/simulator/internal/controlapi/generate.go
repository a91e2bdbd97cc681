package controlapi

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

const mostGenerated = 1_000_000

// generate adds users. The same tenant, seed and number give the same users.
func (s *Server) generate(r *http.Request, t store.Tenant) (any, error) {
	var body control.Generate
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if body.Users < 0 || body.Users > mostGenerated || body.Groups < 0 || body.Groups > mostGenerated {
		return nil, invalid("users and groups: want 0 to %d", mostGenerated)
	}
	taken := map[string]bool{}
	err := s.Store.View(t.DirectoryID, func(v store.View) error {
		for u := range v.Users(0) {
			for _, a := range u.Addresses() {
				taken[a] = true
			}
		}
		for g := range v.Groups(0) {
			for _, a := range g.Addresses() {
				taken[a] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	g := newGenerator(t, body, taken)
	users := make([]*store.User, body.Users)
	for i := range users {
		if users[i], err = g.user(); err != nil {
			return nil, err
		}
	}
	as := s.as(r)
	if t.Workspace() && r.URL.Query().Get("via") == "" {
		as = s.Store.Via(store.ViaBulkUpload)
	}
	result, err := as.AddUsers(t.DirectoryID, users)
	if err == nil && body.Groups > 0 {
		result, err = s.generateGroups(as, g, users, body.Groups, result)
	}
	return changed("")(result, err)
}

// generator makes up people.
type generator struct {
	tenant                  store.Tenant
	rng                     *rand.Rand
	taken                   map[string]bool
	guest, suspended, alias float64
	archived, external      float64
}

func newGenerator(t store.Tenant, g control.Generate, taken map[string]bool) *generator {
	share := func(p *float64, standard float64) float64 {
		if p == nil {
			return standard
		}
		return *p
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.DirectoryID))
	out := &generator{
		tenant: t, taken: taken, rng: rand.New(rand.NewPCG(g.Seed, h.Sum64())), //nolint:gosec // the same on purpose
		guest: share(g.GuestShare, 0.03), suspended: share(g.SuspendedShare, 0.02), alias: share(g.AliasShare, 0.2),
	}
	if t.Workspace() {
		out.guest, out.archived, out.external = share(g.GuestShare, 0), share(g.ArchivedShare, 0.01), share(g.ExternalShare, 0.05)
	}
	return out
}

func (g *generator) user() (*store.User, error) {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], g.rng.Uint64())
	binary.BigEndian.PutUint64(raw[8:], g.rng.Uint64())
	given, surname := givenNames[g.rng.IntN(len(givenNames))], surnames[g.rng.IntN(len(surnames))]
	guest := g.rng.Float64() < g.guest
	n := control.NewUser{
		ID: kindOf(g.tenant.Provider).userFrom(raw), Name: given + " " + surname, Guest: guest, Suspended: g.rng.Float64() < g.suspended,
	}
	if g.tenant.Workspace() {
		n.Archived = g.rng.Float64() < g.archived
	}
	local := strings.ToLower(given + "." + surname)
	n.Address = g.free(local, g.domain(guest))
	if !guest && g.rng.Float64() < g.alias {
		n.Aliases = []string{g.free(strings.ToLower(given[:1]+surname), g.tenant.Domains[0])}
	}
	return makeUser(g.tenant, n)
}

// domain picks the default domain for four in five, another one of the tenant's for the rest, and a partner's for guests.
func (g *generator) domain(guest bool) string {
	domains := g.tenant.Domains
	switch {
	case guest:
		return partners[g.rng.IntN(len(partners))]
	case len(domains) == 1 || g.rng.Float64() < 0.8:
		return domains[0]
	default:
		return domains[1+g.rng.IntN(len(domains)-1)]
	}
}

// free returns an address that nobody has, numbered when need be, and takes it.
func (g *generator) free(local, domain string) string {
	address := local + "@" + domain
	for n := 2; g.taken[address]; n++ {
		if n == 5 { // the name is common: jump, rather than count up
			n = 10 + g.rng.IntN(1_000_000)
		}
		address = fmt.Sprintf("%s%d@%s", local, n, domain)
	}
	g.taken[address] = true
	return address
}

var partners = []string{"fabrikam.com", "northwindtraders.com", "adatum.com", "tailspintoys.com", "proseware.com"}

var givenNames = strings.Fields(`Aaliyah Adam Adele Agnes Ahmed Aiko Alejandro Alice Alma Amara Amina Amir Ana Andre Anika
	Anna Anton Arjun Astrid Aya Beatriz Ben Bjorn Bruno Camila Carlos Caroline Chen Chloe Clara Daniel Daria David Diego
	Elena Eli Elif Emeka Emil Emma Eva Farah Fatima Felix Fiona Freya Gabriel Grace Hana Hannah Hassan Helena Hugo Ida Igor
	Ines Irene Isaac Isabel Ivan Jack Jasmine Javier Jin Johan Jonas Julia Kai Karim Kavya Keiko Kenji Laila Lars Laura Leo
	Lina Lucas Lucia Magnus Maja Marco Maria Marta Mateo Mei Mila Mina Mohamed Nadia Naomi Nikhil Nina Noah Nora Olga Oliver
	Omar Oscar Pablo Paula Pedro Petra Priya Rafael Rahul Rosa Ruth Samir Sara Sebastian Selma Simon Sofia Sven Tara Thomas
	Uma Vera Victor Wei Yara Yuki Yusuf Zara Zoe`)

var surnames = strings.Fields(`Abbott Adeyemi Ahmed Almeida Andersson Baker Banerjee Bauer Becker Bergman Bianchi Brown Burke
	Carter Castro Chan Chen Clark Cohen Costa Cruz Dahl Das Davis Diaz Dubois Eriksen Evans Farouk Fernandez Fischer Foster
	Fujita Garcia Gomez Gonzalez Green Gupta Haddad Hall Hansen Harris Hassan Hoffmann Huang Hughes Ibrahim Ito Ivanova
	Jackson Jansen Jensen Johnson Jones Kaplan Kaur Keller Khan Kim Klein Kowalski Kumar Larsen Lee Lewis Li Lin Lopez
	Martin Martinez Mehta Meyer Miller Moore Morales Moreau Mori Morris Muller Nakamura Nguyen Nielsen Novak Okafor Olsen
	Ortiz Osei Park Patel Perez Petrov Phillips Pinto Popescu Price Quinn Rahman Ramirez Ramos Reyes Richter Rivera Roberts
	Rossi Ruiz Saito Santos Sato Schmidt Schulz Scott Shah Sharma Silva Singh Smith Sokolov Suzuki Tanaka Taylor Thomas
	Torres Tran Turner Ueda Vargas Vogel Walker Wang Watanabe Weber White Williams Wilson Wong Wright Wu Yamamoto Yang Young
	Zhang Zimmermann`)
