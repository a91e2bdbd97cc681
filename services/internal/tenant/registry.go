package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Faults of the registry that callers tell apart.
var (
	ErrNotFound = errors.New("no such tenant")
	ErrExists   = errors.New("the tenant exists already")
	// ErrUnreadable says that what is stored of a tenant is no record of it. Asking again does not help.
	ErrUnreadable = errors.New("the stored record cannot be read")
	// ErrDirectoryTaken says that another tenant has the directory: two tenants on one directory would license twice.
	ErrDirectoryTaken = errors.New("the directory is connected already")
	// ErrDirectoryFixed says that a tenant's directory was to be exchanged. Connect another tenant instead.
	ErrDirectoryFixed = errors.New("a tenant keeps its directory for life")
	// ErrNoProduct says that a tenant has not the product that it is to have no longer.
	ErrNoProduct = errors.New("the tenant has no such product")
	// ErrNoProducts says that a tenant would have none.
	ErrNoProducts = errors.New("products: want at least one")
	// ErrConflict says that somebody else changed the tenant meanwhile.
	ErrConflict = errors.New("the tenant was changed meanwhile")
)

// Registry keeps tenants in the KV bucket "tenants": one key a tenant, named by its id, and one key
// "directory.<provider>.<directory id>" that holds the id of the tenant that has the directory.
type Registry struct {
	kv jetstream.KeyValue
	// OnFault, where set, is told of a record that cannot be read. The other records are not held up by it.
	OnFault func(id string, err error)
}

// NewRegistry reads and writes the bucket.
func NewRegistry(kv jetstream.KeyValue) *Registry { return &Registry{kv: kv} }

// Add stores a new tenant. It fails with ErrExists or ErrDirectoryTaken, or with every fault of the tenant at once.
func (r *Registry) Add(ctx context.Context, t Tenant) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("add tenant: %w", err)
	}
	if _, err := r.kv.Get(ctx, t.ID); err == nil {
		return fmt.Errorf("add tenant %s: %w", t.ID, ErrExists)
	}
	claimed, err := r.claim(ctx, t)
	if err != nil {
		return fmt.Errorf("add tenant %s: %w", t.ID, err)
	}
	body, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("add tenant %s: %w", t.ID, err)
	}
	if _, err := r.kv.Create(ctx, t.ID, body); errors.Is(err, jetstream.ErrKeyExists) {
		return fmt.Errorf("add tenant %s: %w", t.ID, ErrExists)
	} else if err != nil {
		return fmt.Errorf("add tenant %s: %w", t.ID, err)
	}
	if err := r.confirm(ctx, t, claimed); err != nil {
		return fmt.Errorf("add tenant %s: %w", t.ID, err)
	}
	return nil
}

// Put stores a tenant, new or not. A stored tenant keeps its directory and the time of its creation.
func (r *Registry) Put(ctx context.Context, t Tenant) error {
	entry, err := r.kv.Get(ctx, t.ID)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return r.Add(ctx, t)
	}
	if err != nil {
		return fmt.Errorf("read tenant %s: %w", t.ID, err)
	}
	stored, err := decode(entry)
	if err != nil {
		return err
	}
	if stored.Provider != t.Provider || stored.DirectoryID != t.DirectoryID {
		return fmt.Errorf("change tenant %s: %w", t.ID, ErrDirectoryFixed)
	}
	t.CreatedAt = stored.CreatedAt
	return r.replace(ctx, entry, t)
}

// Change lets do change a stored tenant, and stores what it comes to. Nothing that others store meanwhile is lost: do may be
// called again, with what they have made of it. It returns what is stored.
func (r *Registry) Change(ctx context.Context, id string, do func(*Tenant) error) (Tenant, error) {
	for {
		entry, err := r.kv.Get(ctx, id)
		if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
			return Tenant{}, fmt.Errorf("tenant %q: %w", id, ErrNotFound)
		}
		if err != nil {
			return Tenant{}, fmt.Errorf("read tenant %s: %w", id, err)
		}
		stored, err := decode(entry)
		if err != nil {
			return Tenant{}, err
		}
		changed := stored
		changed.Products = slices.Clone(stored.Products)
		if err := do(&changed); err != nil {
			return stored, err
		}
		if changed.ID != id || changed.Provider != stored.Provider || changed.DirectoryID != stored.DirectoryID {
			return stored, fmt.Errorf("change tenant %s: %w", id, ErrDirectoryFixed)
		}
		if err := r.replace(ctx, entry, changed); !errors.Is(err, ErrConflict) {
			return changed, err
		}
	}
}

// replace stores a tenant in the place of what was read.
func (r *Registry) replace(ctx context.Context, entry jetstream.KeyValueEntry, t Tenant) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("change tenant %s: %w", t.ID, err)
	}
	body, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("change tenant %s: %w", t.ID, err)
	}
	if _, err := r.kv.Update(ctx, t.ID, body, entry.Revision()); errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return fmt.Errorf("change tenant %s: %w", t.ID, ErrConflict)
	} else if err != nil {
		return fmt.Errorf("change tenant %s: %w", t.ID, err)
	}
	return nil
}

// Get returns one tenant, ErrNotFound or ErrUnreadable.
func (r *Registry) Get(ctx context.Context, id string) (Tenant, error) {
	entry, err := r.kv.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return Tenant{}, fmt.Errorf("tenant %q: %w", id, ErrNotFound)
	}
	if err != nil {
		return Tenant{}, fmt.Errorf("read tenant %s: %w", id, err)
	}
	return decode(entry)
}

// List returns all tenants by id. Records that cannot be read go to OnFault.
func (r *Registry) List(ctx context.Context) ([]Tenant, error) {
	watcher, err := r.kv.Watch(ctx, "*", jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	defer func() { _ = watcher.Stop() }()
	var all []Tenant
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("list tenants: %w", ctx.Err())
		case entry, open := <-watcher.Updates():
			if !open {
				return nil, errors.New("list tenants: the watch ended early")
			}
			if entry == nil {
				slices.SortFunc(all, func(a, b Tenant) int { return strings.Compare(a.ID, b.ID) })
				return all, nil
			}
			if t, err := decode(entry); err != nil {
				r.fault(entry.Key(), err)
			} else {
				all = append(all, t)
			}
		}
	}
}

// Delete forgets a tenant and frees its directory. One that is not there is no error.
func (r *Registry) Delete(ctx context.Context, id string) error {
	t, err := r.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.kv.Delete(ctx, id); err != nil {
		return fmt.Errorf("delete tenant %s: %w", id, err)
	}
	if err := r.free(ctx, t); err != nil {
		return fmt.Errorf("free the directory of %s: %w", id, err)
	}
	return nil
}

// Erase removes a tenant and every claim of a directory that is in its name, whatever is left of either. Where may, which may be called
// again with what others store meanwhile, has an error for the stored tenant, nothing is removed.
func (r *Registry) Erase(ctx context.Context, id string, may func(Tenant) error) error {
	for {
		entry, err := r.kv.Get(ctx, id)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			break
		}
		var t Tenant
		if err == nil {
			t, err = decode(entry)
		}
		if err == nil {
			err = may(t)
		}
		if err == nil {
			err = r.kv.Delete(ctx, id, jetstream.LastRevision(entry.Revision()))
		}
		if err == nil {
			break
		}
		if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
			return fmt.Errorf("erase tenant %s: %w", id, err)
		}
	}
	return r.freeAll(ctx, id)
}

// freeAll removes every claim in a tenant's name.
func (r *Registry) freeAll(ctx context.Context, id string) error {
	keys, err := r.kv.ListKeysFiltered(ctx, "directory.>")
	if err != nil {
		return fmt.Errorf("list who has which directory: %w", err)
	}
	for key := range keys.Keys() {
		entry, err := r.kv.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) || err == nil && string(entry.Value()) != id {
			continue
		}
		if err == nil {
			err = r.kv.Delete(ctx, key, jetstream.LastRevision(entry.Revision()))
		}
		if err != nil && !errors.Is(err, jetstream.ErrKeyRevisionMismatch) { // somebody else has taken it over
			return fmt.Errorf("free the directory of %s: %w", id, err)
		}
	}
	if err := ctx.Err(); err != nil { // the listing may have been cut short
		return fmt.Errorf("free the directory of %s: %w", id, err)
	}
	return nil
}

func (r *Registry) fault(id string, err error) {
	if r.OnFault != nil {
		r.OnFault(id, err)
	}
}

func directoryKey(t Tenant) string { return "directory." + string(t.Provider) + "." + t.DirectoryID }

func decode(entry jetstream.KeyValueEntry) (Tenant, error) {
	var t Tenant
	if err := json.Unmarshal(entry.Value(), &t); err != nil {
		return Tenant{}, fmt.Errorf("tenant %s: %w: %w", entry.Key(), ErrUnreadable, err)
	}
	if t.ID != entry.Key() {
		return Tenant{}, fmt.Errorf("tenant %s: %w: it names tenant %q", entry.Key(), ErrUnreadable, t.ID)
	}
	return t, nil
}
