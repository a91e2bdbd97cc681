package main

const (
	engine    = "services/internal/receiver/engine"
	relay     = "services/worker/internal/relay"
	graph     = "services/graph-receiver/internal/graph"
	workspace = "services/workspace-receiver/internal/workspace"
)

// ofSync are faults of how the directory is read, and of how what was decided is told.
var ofSync = []mutant{
	{"hint", "it is acknowledged before its mark is stored", engine + "/hints.go", "ID: data.ID})\n\tif err != nil {", "ID: data.ID})\n\tif err != nil && false {", engine},
	{"hint", "a command is acknowledged before it is stored", engine + "/hints.go", "if err := t.lane.Command(ctx, c); err != nil {", "if err := t.lane.Command(ctx, c); err != nil && false {", engine},
	{"cursor", "it advances before what it showed is published", receiver + "/feed.go", "if err := l.take(ctx, p, feed, told, stamp, page); err != nil {", "if err := l.take(ctx, p, feed, told, stamp, page); err != nil && false {", receiver},
	{"cursor", "a journal's advances before what it names is read", receiver + "/round.go", "if l.deps.Traits.Journals {\n\t\tp.moved", "if false {\n\t\tp.moved", receiver},
	{"forbidden", "members that may not be read are nobody, for Graph", graph + "/reads.go", "\t\treturn receiver.Page{}, noGroup(err)\n", "\t\tif a, ok := errors.AsType[*ResponseError](err); ok && a.Status == 403 {\n\t\t\treturn receiver.Page{}, nil\n\t\t}\n\t\treturn receiver.Page{}, noGroup(err)\n", graph},
	{"forbidden", "members that may not be read are nobody, for Workspace", workspace + "/members.go", "\t\treturn receiver.Page{}, foreignGroup(noGroup(err))\n", "\t\tif w, ok := err.(interface{ Unwrap() error }); ok {\n\t\t\tif a, ok := w.Unwrap().(*ResponseError); ok && a.Status == 403 {\n\t\t\t\treturn receiver.Page{}, nil\n\t\t\t}\n\t\t}\n\t\treturn receiver.Page{}, foreignGroup(noGroup(err))\n", workspace},
	{"removal needs proof", "a user whom a snapshot did not show is gone", receiver + "/prove.go", "u, stamp, err := ask(ctx, v.Lane, v.p, func(ctx context.Context) (directory.User, error) { return v.deps.Directory.User(ctx, id) })", "u, stamp, err := directory.User{ID: id, Status: directory.Deleted}, v.deps.Stamps.Next(), error(nil)", receiver},
	{"removal needs proof", "a member whom a list did not show is gone", receiver + "/missing.go", "answer, stamp, err := l.member(ctx, p, m)\n", "answer, stamp, err := m, l.deps.Stamps.Next(), error(nil)\n", receiver},
	{"removal needs proof", "two lists that are not still are believed", receiver + "/doubt.go", "\t\t\tr.still = r.lists\n", "", receiver},
	{"removal needs proof", "a list that shows somebody twice is believed", receiver + "/doubt.go", "if r.twice {", "if false {", receiver},
	{"removal needs proof", "lists are believed of a bulk without a sample", receiver + "/doubt.go", "\tr.missing = append(r.missing, r.bulk...)\n", "\tif true {\n\t\treturn\n\t}\n", receiver},
	{"in order", "the outbox is told from its end", store + "/outbox.go", "FROM outbox ORDER BY id LIMIT $1", "FROM outbox ORDER BY id DESC LIMIT $1", relay},
	{"tombstone", "a membership that has ended is forgotten at once", store + "/membership.go", "t.outdated(e.Stamp, row, exists) ||", "t.outdated(e.Stamp, row, exists && was) ||", worker},
	{"cursor", "one that goes is not read to its end", receiver + "/read.go", "if err := l.catchUp(ctx); err != nil {", "if err := error(nil); err != nil {", receiver},
	{"in doubt", "a read undoes what has just changed", store + "/apply.go", "|| e.At.Sub(row.at) >= e.Doubt {", "|| e.Doubt >= 0 {", worker},
	{"in doubt", "what a read shows counts never again", store + "/apply.go", "|| e.At.Sub(row.at) >= e.Doubt {", "|| e.At.Sub(row.at) > 1000*e.Doubt {", worker},
	{"in doubt", "a feed's statement is a read", store + "/apply.go", "if row.at.IsZero() || inOrder ||", "if row.at.IsZero() || inOrder && false ||", worker},
	{"in doubt", "a feed that began anew is believed", store + "/apply.go", "!at.Before(t.Since) && ", "", worker},
	{"in doubt", "what a feed tells once more is believed", store + "/apply.go", " && !at.After(t.Until)", "", worker},
	{"in doubt", "a feed that is behind a read is believed", store + "/apply.go", "row.by&feed != 0 && e.teller() == feed", "e.teller() == feed", worker},
	{"in doubt", "who is back waits as long as who has gone", store + "/apply.go", "if !takesAway && age >= e.Doubt/leniency {", "if !takesAway && age >= e.Doubt {", worker},
	{"in doubt", "one read is enough against what was just told", store + "/apply.go", "if !takesAway || e.teller() == feed ||", "if true || e.teller() == feed ||", worker},
	{"in doubt", "the read that was to tell is followed by another", store + "/apply.go", "e.teller() == feed || row.by&doubted != 0 ||", "e.teller() == feed ||", worker},
	{"in doubt", "nobody reads again", store + "/doubt.go", "WHERE d.ask_at <= $1 AND t.part = $2", "WHERE d.ask_at <= $1 AND t.part = $2 AND FALSE", worker},
	{"in doubt", "an answer ends nothing", worker + "/doubt.go", "return s.tx.DropDoubts(s.tenant.ID, data.Request)", "return nil", worker},
	{"in doubt", "what could not be read is forgotten", worker + "/doubt.go", "if data.Unproven > 0 {", "if false {", worker},
	{"in doubt", "what a full read missed and a proof showed is not read again", worker + "/proof.go", "if s.cfg.Doubt <= 0 {", "if true {", worker},
	{"in doubt", "what is proved gone is read again", worker + "/snapshot.go", "if err := s.tx.DropGone(s.tenant.ID, data.Request); err != nil {", "if err := error(nil); err != nil {", worker},
	{"in doubt", "one read is enough for a watched group that a full read missed", receiver + "/prove.go", "watched && v.snapshot != \"\" {", "watched && v.snapshot == \"-\" {", receiver},
	{"in doubt", "what confirms a row is forgotten", store + "/apply.go", "if c.by&doubted != 0 {", "if false {", worker},
	{"tombstone", "one that is in doubt goes with the others", store + "/candidate.go", " AND changed_at <= $4`,\n\t\tg.ID, s.Epoch, s.Counter, micros(since))", "`,\n\t\tg.ID, s.Epoch, s.Counter)", worker},
	{"tombstone", "the read of one group forgets those of before", worker + "/proof.go", "if !data.Users || !data.Groups {\n\t\t\tcontinue", "if false {\n\t\t\tcontinue", worker},
}
