package accessfile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// lookEvery is how often a file is read that seems to be as it was.
const lookEvery = 10 * time.Second

// Live is a file that is read again when it has changed. It is safe for concurrent use.
type Live struct {
	path   string
	logger *slog.Logger
	clock  clock.Clock

	mu     sync.Mutex
	file   File        // in force
	text   []byte      // the last that was read, in force or refused
	seen   os.FileInfo // the file when it was last read; nil where it could not be
	looked time.Time
}

// Open reads a file, or tells everything that is wrong with it. Without a path nobody may come in.
func Open(path string, logger *slog.Logger, c clock.Clock) (*Live, error) {
	l := &Live{path: path, logger: logger, clock: c, looked: c.Now()}
	if path == "" {
		return l, nil
	}
	text, info, err := load(path)
	if err == nil {
		l.file, err = Parse(text)
	}
	if err != nil {
		return nil, fmt.Errorf("the access file %s: %w", path, err)
	}
	l.text, l.seen = text, info
	return l, nil
}

func load(path string) ([]byte, os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	return text, info, err
}

// Check tells everything that is wrong with a file.
func Check(path string) error {
	text, _, err := load(path)
	if err == nil {
		_, err = Parse(text)
	}
	if err != nil {
		return fmt.Errorf("the access file %s: %w", path, err)
	}
	return nil
}

// Now is what the file says now. A version of it that cannot be understood is refused, with a line in the log, and the one
// before stays in force.
func (l *Live) Now(ctx context.Context) File {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.path != "" && l.changed() {
		l.reload(ctx)
	}
	return l.file
}

// changed reports whether the file is worth reading: it looks different, or was not read for a while.
func (l *Live) changed() bool {
	if l.clock.Now().Sub(l.looked) >= lookEvery {
		return true
	}
	info, err := os.Stat(l.path)
	if err != nil {
		return l.seen != nil
	}
	return l.seen == nil || !os.SameFile(info, l.seen) || !info.ModTime().Equal(l.seen.ModTime()) || info.Size() != l.seen.Size()
}

func (l *Live) reload(ctx context.Context) {
	l.looked = l.clock.Now()
	text, info, err := load(l.path)
	was := l.seen != nil
	l.seen = info
	if err != nil {
		if was { // said once
			l.logger.ErrorContext(ctx, "the access file cannot be read: what it said before stays in force", "error", err)
		}
		return
	}
	if bytes.Equal(text, l.text) {
		return
	}
	l.text = text
	file, err := Parse(text)
	if err != nil {
		l.logger.ErrorContext(ctx, "the access file is wrong: what it said before stays in force", "error", err)
		return
	}
	l.file = file
	l.logger.InfoContext(ctx, "the access file has changed", "issuers", len(file.Issuers), "people", len(file.People), "machines", len(file.Machines))
}
