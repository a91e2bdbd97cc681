// Package cli is the command line of rollcall: it reads what a person typed, asks the packages that do the work, and
// prints what they found.
package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/signin"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// Run runs one command line. What it prints for people to act on goes to stderr, results go to stdout; where stdin is a
// terminal, somebody may be asked. The error has been told already; ExitCode says what to end the process with.
func Run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	return (&app{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}).execute(ctx, args)
}

func (a *app) execute(ctx context.Context, args []string) error {
	root := a.root()
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	a.tell(command, err)
	return err
}

// app is what the commands of one run share.
type app struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	printer        output.Printer

	format string // flags of every command
	json   bool
	data   string
	nats   string
	proof  signin.As // for it
	server server

	lines  *bufio.Reader                                   // what is typed, see ask
	tamper func(ctx context.Context, natsURL string) error // a test's, see demo.Deps
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "rollcall",
		Short: "Rollcall says who holds a license, and tells it on as events",
		Long: `Rollcall watches a customer's directory in Microsoft Entra ID or Google Workspace, keeps each user's license true
within seconds of a change in a provisioning group, and publishes every grant and revocation as a CloudEvent that can be
replayed.

Begin with "rollcall demo": it needs nothing but this binary. Commands speak to the process behind --data, to --nats and
--ledger, or, with --server and --token-file, to the HTTP API of a Control Center: docs/api.md says which.`,
		Example: `  rollcall demo                                        see it at work on simulated directories
  rollcall serve --check                               look for faults in the configuration
  rollcall tenants add contoso --help                  connect a directory
  rollcall check --tenant contoso --user ada@contoso.com
  rollcall tenants list --server https://rollcall.example.com --token-file token
  rollcall events --tenant contoso --follow`,
		SilenceErrors: true, // tell does both, shorter
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.prepare(cmd)
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.CompletionOptions.HiddenDefaultCmd = false
	flags := root.PersistentFlags()
	flags.StringVarP(&a.format, "output", "o", "table", "how to print: table, json, jsonl or, for lists, csv")
	flags.BoolVar(&a.json, "json", false, "short for --output json")
	flags.StringVar(&a.data, "data", defaultTo(a.getenv("ROLLCALL_DATA"), "rollcall-data"), "data folder of the rollcall to speak to, or to run")
	a.serverFlags(root)
	root.AddCommand(
		a.demoCommand(), a.serveCommand(), a.tenantsCommand(), a.eventsCommand(), a.checkCommand(), a.explainCommand(),
		a.licensesCommand(), a.auditCommand(), a.seatsCommand(), a.refreshCommand(), a.heldCommand(), a.freezeCommand(),
		a.unfreezeCommand(), a.deadLettersCommand(), a.ledgerCommand(), a.keysCommand(), a.tokensCommand(), a.topologyCommand(), a.simulateCommand(),
		a.tortureCommand(), a.versionCommand(),
	)
	return root
}

// prepare reads the flags that every command has.
func (a *app) prepare(cmd *cobra.Command) error {
	format, err := output.ParseFormat(a.format)
	if err != nil {
		return err
	}
	if a.json {
		format = output.JSON
	}
	if format == output.CSV && cmd.Annotations[printsList] == "" {
		return usage("--output csv: this prints no list")
	}
	a.printer = output.Printer{Out: a.stdout, Format: format}
	return a.chooseServer(cmd)
}

// printsList marks commands whose result can be printed as CSV.
const printsList = "list"

// list marks a command as one that prints a list.
func list(cmd *cobra.Command) *cobra.Command {
	return annotate(cmd, printsList)
}

func annotate(cmd *cobra.Command, mark string) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[mark] = "yes"
	return cmd
}

// tell prints an error as one clear line, and for a mistake in the command line where help is.
func (a *app) tell(command *cobra.Command, err error) {
	var end *exit
	switch {
	case err == nil:
	case errors.As(err, &end):
		if end.err != nil {
			_, _ = fmt.Fprintf(a.stderr, "rollcall: %v\n", end.err)
		}
	default:
		_, _ = fmt.Fprintf(a.stderr, "rollcall: %s\nSee %q.\n", strings.TrimSpace(err.Error()), command.CommandPath()+" --help")
	}
}

// exit ends a command that was understood with a code other than 0. A nil err has nothing more to tell.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// Exit codes. check answers with 0 and 1, so its errors are 2.
const (
	codeFailed = 1
	codeUsage  = 2
)

// ExitCode is what the process should end with: 0, the code that a command chose, or 2 for a command line that cannot be
// understood.
func ExitCode(err error) int {
	var end *exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &end):
		return end.code
	default:
		return codeUsage
	}
}

// run makes a command's work: its errors are not of the command line any more, and end the process with code.
func run(code int, work func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := work(cmd, args)
		var end *exit
		if err == nil || errors.As(err, &end) {
			return err
		}
		if usage, ok := errors.AsType[usageError](err); ok {
			return usage
		}
		return &exit{code: code, err: err}
	}
}

// usageError is a mistake in the command line that only the command itself can see.
type usageError string

func (e usageError) Error() string { return string(e) }

func usage(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

// group makes a command that only holds others: alone it shows its help, and a word that is none of them is a mistake.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.DisableFlagsInUseLine = true
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(commands...)
	return cmd
}

// require marks flags without which a command makes no sense.
func require(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is not there: a mistake in this package
		}
	}
}

func defaultTo(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
