package pages_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func (w *world) write(do func(*ledger.Tx) error) {
	w.t.Helper()
	if err := w.ledger.Update(context.Background(), do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) at() directory.Stamp {
	w.stamps++
	return directory.Stamp{Epoch: 1, Counter: w.stamps}
}

// connect puts a tenant into the registry, and nowhere else.
func (w *world) connect(id string, products ...tenant.Product) {
	w.t.Helper()
	if products == nil {
		products = []tenant.Product{tenant.SecureShare()}
	}
	err := w.registry.Add(w.t.Context(), tenant.Tenant{
		ID: id, Provider: directory.Entra, DirectoryID: id + "-directory", Domain: id + ".com", Products: products, CreatedAt: w.origin,
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "client", File: "/run/secrets/" + id},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// tenant changes what the ledger keeps of a tenant as a whole.
func (w *world) tenant(id string, change func(*ledger.Tenant)) {
	w.t.Helper()
	w.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(id)
		if err != nil {
			return err
		}
		change(&t)
		return tx.SaveTenant(t)
	})
}

// house makes a tenant that is read completely, with its products in force for all users.
func (w *world) house(id string, products ...tenant.Product) {
	w.t.Helper()
	w.connect(id, products...)
	if products == nil {
		products = []tenant.Product{tenant.SecureShare()}
	}
	w.sync(id, products...)
}

// sync ends the first sync of a tenant, with its products in force for all users.
func (w *world) sync(id string, products ...tenant.Product) {
	w.t.Helper()
	w.tenant(id, func(t *ledger.Tenant) {
		t.Snapshot, t.SnapshotAt, t.RoundBegan = w.at(), w.origin, time.Now().Add(-3*time.Second)
		t.Hold = ledger.Hold{Flips: true, Guard: licensing.Guard{Share: 20, Least: 5}, Expiry: 72 * time.Hour}
	})
	w.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(id)
		if err != nil {
			return err
		}
		for _, p := range products {
			if _, err := tx.EnsureProduct(t.ID, p.ID, p.Group+"@"+id+".com"); err != nil {
				return err
			}
		}
		all, err := tx.Products(t.ID)
		for _, p := range all {
			p.State = licensing.State{Phase: licensing.InForce, Policy: licensing.Policy{Mode: licensing.AllUsers}}
			w.products[id+" "+p.Name] = &p
			if err := tx.SaveProduct(p); err != nil {
				return err
			}
		}
		return err
	})
}

// product changes what is kept of a product.
func (w *world) product(id, product string, change func(*ledger.Product)) {
	w.t.Helper()
	p := w.products[id+" "+product]
	change(p)
	w.write(func(tx *ledger.Tx) error { return tx.SaveProduct(*p) })
}

func (w *world) put(id string, all ...directory.User) {
	w.t.Helper()
	w.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(id)
		if err != nil {
			return err
		}
		for _, u := range all {
			change, err := tx.PutUser(t, u, ledger.Evidence{Stamp: w.at()})
			if err != nil {
				return err
			}
			w.users[id+" "+u.ID] = change.ID
		}
		return nil
	})
}

func (w *world) group(id string, g directory.Group, members ...directory.Membership) {
	w.t.Helper()
	w.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(id)
		if err != nil {
			return err
		}
		change, err := tx.PutGroup(t, g, ledger.Evidence{Stamp: w.at()})
		if err != nil {
			return err
		}
		w.groups[id+" "+g.ID] = change.ID
		for _, m := range members {
			m.GroupID, m.Present = g.ID, true
			if _, err := tx.PutMembership(t, m, ledger.Evidence{Stamp: w.at()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// decided is one license event.
type decided struct {
	user     string
	licensed bool
	reason   licensing.Reason
	path     []string
	at       time.Time
}

// decide writes license events of a product, and publishes them as the relay does.
func (w *world) decide(id, product string, all ...decided) {
	w.t.Helper()
	p := w.products[id+" "+product]
	var events []event.Event
	w.write(func(tx *ledger.Tx) error {
		for _, d := range all {
			if d.at.IsZero() {
				d.at = time.Now()
			}
			p.Sequence++
			key := id + " " + product + " " + d.user
			next := ledger.Entitlement{
				Product: p.ID, User: w.users[id+" "+d.user], Licensed: d.licensed, Since: d.at, Reason: string(d.reason), Sequence: p.Sequence,
			}
			for _, g := range d.path {
				next.Path = append(next.Path, w.groups[id+" "+g])
			}
			before, known := w.stands[key]
			was := &before
			if !known {
				was = nil
			}
			if known && before.Licensed == next.Licensed {
				next.Since = before.Since
			}
			switch {
			case next.Licensed && (!known || !before.Licensed):
				p.Used++
			case !next.Licensed && known && before.Licensed:
				p.Used--
			}
			if err := tx.Transition(was, next, d.at, fmt.Sprintf("%s.1-%d.0", id, p.Sequence)); err != nil {
				return err
			}
			w.stands[key] = next
			events = append(events, w.licenseEvent(id, product, d, next, was))
		}
		return tx.SaveProduct(*p)
	})
	for _, ev := range events {
		if _, err := w.bus.Publish(context.Background(), event.LicenseSubject(id, product, ev.Subject()), ev); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) licenseEvent(id, product string, d decided, e ledger.Entitlement, before *ledger.Entitlement) event.Event {
	w.t.Helper()
	eventType := event.TypeLicenseReasonChanged
	if before == nil || before.Licensed != e.Licensed {
		eventType = map[bool]string{true: event.TypeLicenseGranted, false: event.TypeLicenseRevoked}[e.Licensed]
	}
	ev, err := event.New(eventType, event.Meta{
		ID: event.LicenseID(id, product, e.Sequence), Source: event.LicenseSource(id, product), Subject: d.user, Time: d.at, Tenant: id, Sequence: e.Sequence,
	}, event.Entitlement{Tenant: id, Product: product, User: d.user, Licensed: e.Licensed, Since: e.Since, Reason: e.Reason, Path: d.path})
	if err != nil {
		w.t.Fatal(err)
	}
	return ev
}

// record writes an event of a product that is no license event, and publishes it.
func (w *world) record(id, product, subject, eventType string, data any) {
	w.t.Helper()
	p := w.products[id+" "+product]
	p.Sequence++
	body, err := json.Marshal(data)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *ledger.Tx) error {
		if err := tx.PutRecord(ledger.Record{
			Product: p.ID, Sequence: p.Sequence, Type: eventType, At: time.Now(), Cause: id + ".settings.k", Data: body,
		}); err != nil {
			return err
		}
		return tx.SaveProduct(*p)
	})
	ev, err := event.New(eventType, event.Meta{
		ID: event.LicenseID(id, product, p.Sequence), Source: event.LicenseSource(id, product), Time: time.Now(), Tenant: id, Sequence: p.Sequence,
	}, data)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.bus.Publish(context.Background(), subject, ev); err != nil {
		w.t.Fatal(err)
	}
}

// hold writes a held change with its list.
func (w *world) hold(id, product string, h ledger.Held, lines ...ledger.HeldUser) ledger.Held {
	w.t.Helper()
	h.Product = w.products[id+" "+product].ID
	w.write(func(tx *ledger.Tx) error {
		stored, err := tx.AddHeld(h)
		if err != nil {
			return err
		}
		h.ID = stored.ID
		for _, line := range lines {
			line.User, line.Listed = w.users[id+" "+line.Ref], true
			if err := tx.PutHeldUser(h.ID, line); err != nil {
				return err
			}
		}
		return tx.SaveHeld(h)
	})
	return h
}

// save stores how a held change stands, and says so on LICENSES.
func (w *world) save(id, product string, h ledger.Held) {
	w.t.Helper()
	w.write(func(tx *ledger.Tx) error { return tx.SaveHeld(h) })
	w.record(id, product, event.HeldSubject(id, product), event.TypeHeldClosed, event.HeldClosed{
		Tenant: id, Product: product, Held: h.Ref, Kind: string(h.Kind), Revision: h.Revision, Outcome: event.HeldApproved,
	})
}

// degrade says what keeps a connection from working.
func (w *world) degrade(id, product string, c ledger.Connection) {
	w.t.Helper()
	c.Product, c.Stamp = w.products[id+" "+product].ID, w.at()
	w.write(func(tx *ledger.Tx) error { return tx.PutConnection(c) })
}

// ending says when the credential for a directory ends.
func (w *world) ending(id, product string, c ledger.Credential) {
	w.t.Helper()
	c.Product, c.Stamp = w.products[id+" "+product].ID, w.at()
	w.write(func(tx *ledger.Tx) error { return tx.PutCredential(c) })
}

// channel stores a push channel as a receiver does.
func (w *world) channel(id, name string, fields map[string]any) {
	w.t.Helper()
	fields["name"] = name
	body, err := json.Marshal(fields)
	if err != nil {
		w.t.Fatal(err)
	}
	kv, err := w.bus.KeyValue(w.t.Context(), bus.BucketChannels)
	if err == nil {
		_, err = kv.Put(w.t.Context(), id+"."+name, body)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
