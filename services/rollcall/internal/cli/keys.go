package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) keysCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "keys",
		Short: "List and rotate the keys that prove what a provider echoes",
	}, a.keysListCommand(), a.keysRotateCommand())
}

// keysFlag is the file of the keys.
func (a *app) keysFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "file", a.getenv("ROLLCALL_INTAKE_KEYS_FILE"), "path of the keys: intake.keys_file; empty: intake.keys in the data folder")
}

func (a *app) keysFile(file string) string {
	if file != "" {
		return file
	}
	return filepath.Join(a.data, "intake.keys")
}

// shownKey is a key without anything of it.
type shownKey struct {
	Key     string     `json:"key"`
	Current bool       `json:"current"`
	From    *time.Time `json:"from,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
}

func (a *app) keysListCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys: which makes secrets, and until when the others prove them",
		Long: `List the keys: which makes secrets, and until when the others prove them. A key is told by its id and a fingerprint, which say
nothing about it.`,
		Example: "  rollcall keys list\n  rollcall keys list --file /etc/rollcall/intake.keys -o csv",
		Args:    cobra.NoArgs,
		RunE: run(codeFailed, func(*cobra.Command, []string) error {
			keys, err := secret.Load(a.keysFile(file))
			if err != nil {
				return missingKeys(err)
			}
			return a.printKeys(keys, clock.System().Now())
		}),
	}
	a.keysFlag(cmd, &file)
	return list(cmd)
}

func (a *app) printKeys(keys secret.Keys, now time.Time) error {
	all := []shownKey{}
	for _, s := range keys.Standings(now) {
		all = append(all, shownKey{Key: s.Name, Current: s.Current, From: optional(s.From), Until: optional(s.Until)})
	}
	return output.List(a.printer, []string{"KEY", "MAKES SECRETS", "PROVES THEM UNTIL"}, all, func(k shownKey) []string {
		makes, until := "no more", "it is replaced"
		switch {
		case k.Current:
			makes = "yes"
		case k.From != nil && k.From.After(now):
			makes = "from " + k.From.Format(time.RFC3339)
		}
		if k.Until != nil {
			until = k.Until.Format(time.RFC3339)
		}
		return []string{k.Key, makes, until}
	})
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// missingKeys says where the keys would be, if they are not there.
func missingKeys(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: name them with --file, or the folder of the receiver with --data", err)
	}
	return err
}

func (a *app) keysRotateCommand() *cobra.Command {
	var file string
	var after time.Duration
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Put a new key in front of those that prove what a provider echoes",
		Long: `Put a new key in front of those that prove what a provider echoes. No process has to be started again: each looks at the file
every 10 seconds. From --after on the new key makes all secrets, and every channel is replaced by one with a new secret at the
next look at it, within an hour. The keys before it prove the old secrets for 30 days more, as long as any channel can live;
then a later rotation drops them.

Where several machines run receivers, bring the changed file to all of them before --after is over.`,
		Example: "  rollcall keys rotate\n  rollcall keys rotate --file /etc/rollcall/intake.keys --after 1h",
		Args:    cobra.NoArgs,
		RunE: run(codeFailed, func(*cobra.Command, []string) error {
			if after < 0 {
				return usage("--after %s: want a time to come", after)
			}
			now := clock.System().Now()
			if _, err := secret.Rotate(a.keysFile(file), now, after); err != nil {
				return missingKeys(err)
			}
			keys, err := secret.Load(a.keysFile(file))
			if err != nil {
				return err
			}
			return a.printKeys(keys, now)
		}),
	}
	a.keysFlag(cmd, &file)
	cmd.Flags().DurationVar(&after, "after", time.Minute, "when the new key begins to make secrets: every process must have the file by then")
	return list(cmd)
}
