package verify

import (
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Record is what the streams hold of one tenant: what was observed, what was decided, and what caused what. Of an event that
// it needs only as a cause it keeps the time.
type Record struct {
	tenant   string
	nodes    map[string]node
	pages    int // of observations, so far
	users    map[string][]seen
	groups   map[string][]seen
	links    map[string]map[string][]seen // by member, then by group, as in Timeline
	products map[string]*published
	revoking bool // somebody has asked to end the licenses with the connection
}

// node is an event as a part of a chain.
type node struct {
	at    time.Time
	kind  string // the event's type
	cause string
	page  int    // its number when it is one of observations, from 1
	held  string // the held change that it closed
	of    string // the product of that
}

// seen is what one page showed of one thing.
type seen struct {
	page      int
	at        time.Time
	stamp     directory.Stamp
	says      bool // the member is there, or the group is live
	account   account
	addresses []string
}

// published is what LICENSES holds of a product.
type published struct {
	decisions []decision
	policies  []policy
	seats     []seats
	connected []said[bool]
	opened    map[string]string            // by held change: what caused it
	listed    map[string]map[string]string // by held change and user: what put the user on the list
	told      map[string]int               // by id: how often
	sequence  uint64
	faults    []string
}

// decision is one license event.
type decision struct {
	id, cause, user, reason string
	at                      time.Time
	sequence                uint64
	licensed, revokes       bool
}

type said[T any] struct {
	sequence uint64
	is       T
}

type policy struct {
	sequence uint64
	id       string
	mode     string
	group    string
	at       time.Time
}

type seats struct {
	sequence  uint64
	purchased *int
	enforced  bool
}

// NewRecord returns the record of a tenant of which nothing is known yet.
func NewRecord(tenant string) *Record {
	return &Record{
		tenant: tenant, nodes: map[string]node{}, users: map[string][]seen{}, groups: map[string][]seen{},
		links: map[string]map[string][]seen{}, products: map[string]*published{},
	}
}

// Add adds an event of LEDGER_IN, NOTIFICATIONS or LICENSES. Those of one stream come in its order; the streams may come in
// any. What is of another tenant is left out.
func (r *Record) Add(ev event.Event) error {
	if event.Tenant(ev) != r.tenant {
		return nil
	}
	n := node{at: ev.Time(), kind: ev.Type(), cause: event.Cause(ev)}
	var err error
	switch ev.Type() {
	case event.TypeDirectoryObserved:
		r.pages++
		n.page = r.pages
		err = r.observe(ev, n)
	case event.TypeDisconnectRequested:
		var data event.DisconnectRequested
		if data, err = event.Data[event.DisconnectRequested](ev); data.Licenses == event.LicensesRevoke {
			r.revoking = true
		}
	default:
		if sequence, unnumbered := event.Sequence(ev); unnumbered == nil {
			err = r.publish(ev, sequence, &n)
		}
	}
	if _, known := r.nodes[ev.ID()]; !known { // told again it is no other cause
		r.nodes[ev.ID()] = n
	}
	return err
}

func (r *Record) observe(ev event.Event, n node) error {
	page, err := event.Data[event.DirectoryObserved](ev)
	if err != nil {
		return err
	}
	for _, o := range page.Observations {
		s := seen{page: n.page, at: n.at, stamp: page.Stamp.Directory()}
		switch {
		case o.User != nil:
			s.account = account{status: directory.Status(o.User.Status), guest: o.User.Guest}
			note(r.users, o.User.ID, s)
		case o.Group != nil:
			s.says, s.addresses = !o.Group.Deleted, directory.Addresses(o.Group.Addresses...)
			note(r.groups, o.Group.ID, s)
		case o.Membership != nil:
			s.says = o.Membership.Present
			member := o.Membership.MemberID
			if directory.MemberKind(o.Membership.MemberKind) == directory.CustomerMember {
				member = whole
			}
			if r.links[member] == nil {
				r.links[member] = map[string][]seen{}
			}
			note(r.links[member], o.Membership.GroupID, s)
		}
	}
	return nil
}

// note keeps what was seen, unless it is older than what was seen before: then it says nothing.
func note(of map[string][]seen, id string, s seen) {
	before := of[id]
	if n := len(before); n > 0 && s.stamp.Compare(before[n-1].stamp) < 0 {
		return
	}
	of[id] = append(before, s)
}

// publish takes an event of LICENSES.
func (r *Record) publish(ev event.Event, sequence uint64, n *node) error {
	var named struct{ Product string }
	named, err := event.Data[struct{ Product string }](ev)
	if err != nil || named.Product == "" {
		return fmt.Errorf("event %s has a sequence and no product: %w", ev.ID(), err)
	}
	p := r.products[named.Product]
	if p == nil {
		p = &published{opened: map[string]string{}, listed: map[string]map[string]string{}, told: map[string]int{}}
		r.products[named.Product] = p
	}
	if p.told[ev.ID()]++; p.told[ev.ID()] > 1 {
		p.faults = append(p.faults, fmt.Sprintf("event %s is told %d times", ev.ID(), p.told[ev.ID()]))
		return nil
	}
	if sequence != p.sequence+1 {
		p.faults = append(p.faults, fmt.Sprintf("event %s has sequence %d, behind %d", ev.ID(), sequence, p.sequence))
	}
	p.sequence = sequence
	return p.take(ev, sequence, named.Product, n)
}

func (p *published) take(ev event.Event, sequence uint64, product string, n *node) error {
	switch ev.Type() {
	case event.TypeLicenseGranted, event.TypeLicenseRevoked, event.TypeLicenseReasonChanged:
		data, err := event.Data[event.Entitlement](ev)
		p.decisions = append(p.decisions, decision{
			id: ev.ID(), cause: event.Cause(ev), user: data.User, reason: data.Reason, at: ev.Time(), sequence: sequence,
			licensed: data.Licensed, revokes: ev.Type() == event.TypeLicenseRevoked,
		})
		return err
	case event.TypePolicyChanged:
		data, err := event.Data[event.PolicyChanged](ev)
		p.policies = append(p.policies, policy{sequence: sequence, id: ev.ID(), mode: data.Mode, group: data.Group, at: ev.Time()})
		return err
	case event.TypeSettingsChanged:
		data, err := event.Data[event.SettingsChanged](ev)
		p.connected = append(p.connected, said[bool]{sequence, data.Connected})
		return err
	case event.TypeSeatsChanged:
		data, err := event.Data[event.SeatsChanged](ev)
		p.seats = append(p.seats, seats{sequence: sequence, purchased: data.Purchased, enforced: data.Enforce})
		return err
	default:
		return p.takeHeld(ev, product, n)
	}
}

// takeHeld keeps what put each user on the list of a held change.
func (p *published) takeHeld(ev event.Event, product string, n *node) error {
	switch ev.Type() {
	case event.TypeHeldOpened:
		data, err := event.Data[event.HeldOpened](ev)
		p.opened[data.Held] = event.Cause(ev)
		return err
	case event.TypeHeldListed:
		data, err := event.Data[event.HeldListed](ev)
		list := p.listed[data.Held]
		if list == nil {
			list = map[string]string{}
			p.listed[data.Held] = list
		}
		for _, u := range data.Users {
			if u.Listed {
				list[u.User] = event.Cause(ev)
			} else {
				delete(list, u.User)
			}
		}
		return err
	case event.TypeHeldClosed:
		data, err := event.Data[event.HeldClosed](ev)
		n.held, n.of = data.Held, product
		return err
	default:
		return nil // it counts for the sequence alone
	}
}
