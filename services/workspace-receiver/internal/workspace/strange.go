package workspace

import (
	"context"
	"log/slog"
	"sync"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

// maxStrange bounds the names that are kept: Google has some hundred of them.
const maxStrange = 1000

// strange tells of what was sent and is not understood, of each kind once: the same comes with every page.
type strange struct {
	logger *slog.Logger

	mu   sync.Mutex
	told map[string]struct{} // by what it is
}

func newStrange(logger *slog.Logger) *strange {
	return &strange{logger: logger, told: map[string]struct{}{}}
}

// nameless notes objects without an id that is one.
func (s *strange) nameless(of string, n int) {
	if n > 0 && s.first("nameless "+of) {
		s.logger.Warn("google sends objects without an id", "of", of, "objects", n)
	}
}

// event notes an event that no table names.
func (s *strange) event(application, name string) {
	if name = remote.Code(name); s.first(application + " " + name) {
		s.logger.LogAttrs(context.Background(), slog.LevelDebug, "google tells of an event that is not known",
			slog.String("application", application), slog.String("event", name))
	}
}

// unnamed notes an event that does not name what it is about.
func (s *strange) unnamed(application, name string) {
	if s.first("unnamed " + application + " " + name) {
		s.logger.Warn("google tells of an event and not of whom", "application", application, "event", name)
	}
}

// first reports whether nobody has been told of it yet.
func (s *strange) first(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.told[what]
	if known || len(s.told) >= maxStrange {
		return false
	}
	s.told[what] = struct{}{}
	return true
}
