package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// journal appends records to a file, one JSON line each. A line is handed to the operating system in one write before
// the mutation is answered: it survives the process, though not the machine, being killed.
type journal struct {
	file *os.File
	size int64
}

func (j *journal) append(r record) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	n, err := j.file.Write(append(raw, '\n'))
	if err != nil {
		// Half a line would join the next one: take it back.
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size += int64(n)
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// openJournal calls apply for each complete line of the file, cuts off a torn last one, and opens it for appending.
func openJournal(path string, apply func(record) error) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	size, err := readLines(file, func(line []byte) error {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		return apply(r)
	})
	if err == nil {
		err = file.Truncate(size)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &journal{file: file, size: size}, nil
}

// readLines calls f for each line that ends in a newline, and returns how many bytes those are.
func readLines(r io.Reader, f func([]byte) error) (int64, error) {
	br := bufio.NewReaderSize(r, 1<<20)
	var size int64
	for n := 1; ; n++ {
		line, err := br.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return size, err
		}
		if err := f(bytes.TrimSuffix(line, []byte{'\n'})); err != nil {
			return size, fmt.Errorf("line %d: %w", n, err)
		}
		size += int64(len(line))
	}
}
