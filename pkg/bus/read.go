package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ReadSpec says what Read reads. At most one of the From fields counts, the first that is set; without any it reads from
// the first message.
type ReadSpec struct {
	Stream       string
	Filters      []string // of subjects as stored, without overlap; none means the whole stream
	FromNow      bool     // only what is stored from now on
	FromSequence uint64   // of the stream
	FromTime     time.Time
	Follow       bool // go on with new messages, until ctx ends
}

// ErrStreamReplaced says that a stream was made anew, or brought back from an older copy, under its reader: sequences that
// the reader has seen count again.
var ErrStreamReplaced = errors.New("the stream was made anew")

// Read hands messages to fn in the stream's order, without acknowledging or remembering anything: for tools, replays and
// views. Without Follow it ends when it has read what was stored when it began; an fn that returns an error ends it with
// that error. Lost connections, and gaps in what the server sends, are mended from where it stood. What is no CloudEvent
// comes with its Fault. It returns nil when caught up, ctx's error when ctx ended first, ErrUnavailable when NATS was not
// there at the beginning or the connection was closed for good, or ErrStreamReplaced.
func (b *Bus) Read(ctx context.Context, spec ReadSpec, fn func(Message) error) error {
	r := &reading{bus: b, spec: spec, fn: fn}
	if err := r.run(ctx); err != nil {
		return fmt.Errorf("read %s: %w", spec.Stream, err)
	}
	return nil
}

func (s ReadSpec) config(end uint64) jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute,
	}
	switch {
	case s.FromNow:
		// Never DeliverNew: mended before its first message, it would begin at a later now and miss what lies between.
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, end+1
	case s.FromSequence > 0:
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, s.FromSequence
	case !s.FromTime.IsZero():
		from := s.FromTime
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &from
	}
	if len(s.Filters) == 1 { // the form whose subject permissions can be scoped
		cfg.FilterSubject = s.Filters[0]
	} else {
		cfg.FilterSubjects = s.Filters
	}
	return cfg
}
