package store

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

const chunkSize = 500 // entries a line

// dump tells the state as chunks that restore puts together again in the same order.
func (s *state) dump(oldest time.Time, emit func(chunk) error) error {
	if err := emit(chunk{Info: &s.info, Version: s.version, Seq: s.seq}); err != nil {
		return err
	}
	var users []*User
	for _, id := range s.userOrder.after(0) {
		users = append(users, s.users[id])
	}
	for part := range slices.Chunk(users, chunkSize) {
		if err := emit(chunk{Users: part}); err != nil {
			return err
		}
	}
	if err := emit(chunk{Outsiders: slices.Collect(maps.Values(s.outsiders))}); err != nil {
		return err
	}
	if err := s.dumpGroups(emit); err != nil {
		return err
	}
	for part := range slices.Chunk(trim(s.log, oldest), chunkSize) {
		if err := emit(chunk{Log: s.lean(part)}); err != nil {
			return err
		}
	}
	return emit(chunk{Subs: slices.Collect(maps.Values(s.subs))})
}

func (s *state) dumpGroups(emit func(chunk) error) error {
	var groups []*Group
	for _, id := range s.groupOrder.after(0) {
		groups = append(groups, s.groups[id])
	}
	for part := range slices.Chunk(groups, chunkSize) {
		if err := emit(chunk{Groups: part}); err != nil {
			return err
		}
	}
	for _, g := range groups {
		c := chunk{Group: g.ID, Roles: s.roles[g.ID]}
		for seq, id := range s.members[g.ID].after(0) {
			c.IDs, c.Seqs = append(c.IDs, id), append(c.Seqs, seq)
		}
		if len(c.IDs) == 0 {
			continue
		}
		if err := emit(c); err != nil {
			return err
		}
	}
	return nil
}

// restore adds one chunk of a snapshot.
func (s *state) restore(c chunk) error {
	if c.Info != nil {
		s.version, s.seq = c.Version, c.Seq
		s.setInfo(*c.Info)
	}
	for _, o := range c.Outsiders {
		s.putOutsider(o)
	}
	for _, u := range c.Users {
		s.users[u.ID] = u
		s.userOrder.add(u.Seq, u.ID)
		if u.Live() {
			s.index(u.ID, u.Addresses())
		}
		s.book.moveUser(nil, u, nil)
	}
	for _, g := range c.Groups {
		s.groups[g.ID] = g
		s.groupOrder.add(g.Seq, g.ID)
		s.members[g.ID] = newOrdered()
		if g.Live() {
			s.index(g.ID, g.Addresses())
		}
		s.book.moveGroup(nil, g, nil)
	}
	for _, sub := range c.Subs {
		s.subs[sub.ID] = sub
	}
	for _, change := range c.Log {
		s.log = append(s.log, s.whole(change))
	}
	return s.restoreMembers(c)
}

// lean is a part of the log without the objects that are still as it has them: a dump has those already.
func (s *state) lean(log []Change) []Change {
	log = slices.Clone(log)
	for i, c := range log {
		if c.User != nil && c.User == s.users[c.ID] {
			log[i].User = nil
		}
		if c.Group != nil && c.Group == s.groups[c.ID] {
			log[i].Group = nil
		}
	}
	return log
}

// whole gives a change of the log back what lean took.
func (s *state) whole(c Change) Change {
	if c.Kind == UserChanged && c.User == nil {
		c.User = s.users[c.ID]
	}
	if c.Kind == GroupChanged && c.Group == nil {
		c.Group = s.groups[c.ID]
	}
	return c
}

func (s *state) restoreMembers(c chunk) error {
	if c.Group == "" {
		return nil
	}
	if s.members[c.Group] == nil || len(c.IDs) != len(c.Seqs) {
		return fmt.Errorf("members of group %s: %w", c.Group, ErrInvalid)
	}
	for i, id := range c.IDs {
		s.members[c.Group].add(c.Seqs[i], id)
		if s.memberOf[id] == nil {
			s.memberOf[id] = map[string]struct{}{}
		}
		s.memberOf[id][c.Group] = struct{}{}
		s.setRole(c.Group, id, c.Roles[id])
		s.book.enrol(c.Group, s.place(id))
	}
	return nil
}
