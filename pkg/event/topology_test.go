package event_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/schemas"
)

// stream and bucket are the settings that asyncapi.yaml promises under x-jetstream.
type stream struct {
	Subjects         []string      `yaml:"subjects"`
	SubjectTransform transform     `yaml:"subject-transform"`
	Discard          string        `yaml:"discard"`
	MaxAge           time.Duration `yaml:"max-age"`
	DuplicateWindow  time.Duration `yaml:"duplicate-window"`
	Compression      string        `yaml:"compression"`
	AtomicPublish    bool          `yaml:"atomic-publish"`
	DenyDelete       bool          `yaml:"deny-delete"`
	DenyPurge        bool          `yaml:"deny-purge"`
}

type bucket struct {
	History    int64 `yaml:"history"`
	DenyDelete bool  `yaml:"deny-delete"`
	DenyPurge  bool  `yaml:"deny-purge"`
	Source     struct {
		Stream           string    `yaml:"stream"`
		SubjectTransform transform `yaml:"subject-transform"`
	} `yaml:"source"`
}

type transform struct {
	Source      string `yaml:"source"`
	Destination string `yaml:"destination"`
}

func transformOf(t jetstream.SubjectTransformConfig) transform {
	return transform{Source: t.Source, Destination: t.Destination}
}

// TestAsyncAPIIsTheTopology compares the document with what package bus makes on a real server.
func TestAsyncAPIIsTheTopology(t *testing.T) {
	t.Parallel()
	js := bustest.StartServer(t).Bus(bus.Config{Partitions: 32}).JetStream()
	gotStreams, gotBuckets := map[string]stream{}, map[string]bucket{}
	list := js.ListStreams(t.Context())
	for info := range list.Info() {
		name, isBucket := strings.CutPrefix(info.Config.Name, "KV_")
		if isBucket {
			gotBuckets[name] = bucketOf(info.Config)
		} else {
			gotStreams[name] = streamOf(info.Config)
		}
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	doc := readAsyncAPI(t)
	if diff := cmp.Diff(doc.JetStream.Streams, gotStreams); diff != "" {
		t.Errorf("streams (-asyncapi.yaml +server):\n%s", diff)
	}
	if diff := cmp.Diff(doc.JetStream.Buckets, gotBuckets); diff != "" {
		t.Errorf("buckets (-asyncapi.yaml +server):\n%s", diff)
	}
}

func streamOf(c jetstream.StreamConfig) stream {
	s := stream{
		Subjects: c.Subjects, Discard: "old", MaxAge: c.MaxAge, DuplicateWindow: c.Duplicates,
		AtomicPublish: c.AllowAtomicPublish, DenyDelete: c.DenyDelete, DenyPurge: c.DenyPurge,
	}
	if c.Discard == jetstream.DiscardNew {
		s.Discard = "new"
	}
	if c.Compression == jetstream.S2Compression {
		s.Compression = "s2"
	}
	if c.SubjectTransform != nil {
		s.SubjectTransform = transformOf(*c.SubjectTransform)
	}
	return s
}

func bucketOf(c jetstream.StreamConfig) bucket {
	b := bucket{History: c.MaxMsgsPerSubject}
	if len(c.Sources) == 1 { // an ordinary bucket denies deleting as well, as every bucket does
		b.DenyDelete, b.DenyPurge = c.DenyDelete, c.DenyPurge
		b.Source.Stream = c.Sources[0].Name
		b.Source.SubjectTransform = transformOf(c.Sources[0].SubjectTransforms[0])
	}
	return b
}

// TestSubjectsAreStoredWhereAsyncAPISays publishes a valid example of each type to the subject that pkg/event builds, and
// looks which channel's address fits the subject under which the server has stored it.
func TestSubjectsAreStoredWhereAsyncAPISays(t *testing.T) {
	t.Parallel()
	js := bustest.New(t).JetStream()
	doc := readAsyncAPI(t)
	reached := map[string]bool{}
	for eventType, subject := range subjects() {
		valid, _ := schemas.Examples(eventType)
		ack, err := js.Publish(t.Context(), subject, valid[0].Body)
		if err != nil {
			t.Fatalf("%s to %s: %v", eventType, subject, err)
		}
		s, err := js.Stream(t.Context(), ack.Stream)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := s.GetMsg(t.Context(), ack.Sequence)
		if err != nil {
			t.Fatal(err)
		}
		fits := doc.channelsFor(stored.Subject)
		if len(fits) != 1 {
			t.Errorf("%s is stored under %s, which fits the channels %v", eventType, stored.Subject, fits)
			continue
		}
		reached[fits[0]] = true
		c := doc.Channels[fits[0]]
		if c.JetStream.Stream != ack.Stream || !slices.Contains(doc.messageTypes(c), eventType) {
			t.Errorf("%s is stored in %s: the channel %s says %s and %v",
				eventType, ack.Stream, fits[0], c.JetStream.Stream, doc.messageTypes(c))
		}
	}
	reached["entitlements"] = true // no one publishes there; TestEntitlementsIsFilledByTheServer
	if diff := cmp.Diff(sortedKeys(doc.Channels), sortedKeys(reached)); diff != "" {
		t.Errorf("channels (-asyncapi.yaml +reached):\n%s", diff)
	}
}

// channelsFor names the channels whose address, with the values that subjects uses, is that subject.
func (doc asyncAPI) channelsFor(subject string) []string {
	values := strings.NewReplacer(`\{partition\}`, `[0-9]+`, `\{tenant\}`, "contoso", `\{product\}`, "secure-share",
		`\{user\}`, "87d349ed-44d7-43e1-9a83-5f2406dee5bd", `\{provider\}`, "entra", `\{stream\}`, "LEDGER_IN")
	var names []string
	for name, c := range doc.Channels {
		if regexp.MustCompile("^" + values.Replace(regexp.QuoteMeta(c.Address)) + "$").MatchString(subject) {
			names = append(names, name)
		}
	}
	return names
}

// TestEntitlementsIsFilledByTheServer follows one license event into the bucket, under the key that the document names.
func TestEntitlementsIsFilledByTheServer(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	valid, _ := schemas.Examples("io.rollcall.license.granted.v1")
	subject := subjects()["io.rollcall.license.granted.v1"]
	if _, err := b.JetStream().Publish(t.Context(), subject, valid[0].Body); err != nil {
		t.Fatal(err)
	}
	kv, err := b.KeyValue(t.Context(), bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := kv.WatchAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Stop() }()
	for entry := range watch.Updates() {
		if entry == nil {
			continue // the end of what was there when the watch began
		}
		fits := readAsyncAPI(t).channelsFor("$KV." + bus.BucketEntitlements + "." + entry.Key())
		if diff := cmp.Diff([]string{"entitlements"}, fits); diff != "" {
			t.Errorf("channels for the key %s (-want +got):\n%s", entry.Key(), diff)
		}
		if diff := jsonDiff(t, valid[0].Body, entry.Value()); diff != "" {
			t.Errorf("value (-published +kept):\n%s", diff)
		}
		return
	}
	t.Error("the watch ended without a value")
}
