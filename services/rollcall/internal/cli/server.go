package cli

import (
	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/apiclient"
)

// answersOverAPI marks commands for which the HTTP API has operations.
const answersOverAPI = "api"

// server is the Control Center that is asked instead of NATS and the ledger.
type server struct {
	apiclient.Config
	client *apiclient.Client // once it is asked
}

// named reports whether there is one to ask.
func (s *server) named() bool { return s.Server != "" }

func (a *app) serverFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&a.server.Server, "server", a.getenv("ROLLCALL_SERVER"), "URL of a Control Center to ask, instead of NATS and the ledger")
	flags.StringVar(&a.server.TokenFile, "token-file", a.getenv("ROLLCALL_TOKEN_FILE"), "path of a file with the token for it")
	flags.StringVar(&a.server.CAFile, "server-ca", a.getenv("ROLLCALL_SERVER_CA_FILE"), "path of a PEM file with the CA that it is trusted by, instead of the system's")
}

// instead are flags that name another place to ask.
var instead = []string{"data", "nats", "ledger"}

// chooseServer decides whether the server is asked. A place that was named on the command line goes before a server that the
// environment names; a command that the API has no operation for never asks another place than the one that was named.
func (a *app) chooseServer(cmd *cobra.Command) error {
	if !a.server.named() {
		return nil
	}
	typed := cmd.Flags().Changed("server")
	for _, name := range instead {
		switch {
		case !cmd.Flags().Changed(name):
		case typed:
			return usage("--server and --%s name two places to ask: want one", name)
		default:
			a.server.Server = ""
			return nil
		}
	}
	if cmd.Annotations[answersOverAPI] != "" {
		return a.checkAsker(cmd)
	}
	switch speaks := cmd.Flags().Lookup("nats") != nil || cmd.Flags().Lookup("ledger") != nil; {
	case cmd.HasSubCommands(): // it shows its help
	case !typed && (!speaks || cmd.Name() == "serve"):
		a.server.Server = "" // it speaks to no other process
	case !speaks:
		return usage("%s asks no server: run it without --server", commandName(cmd))
	default:
		return usage("%s works on the NATS server itself: run it without --server (or ROLLCALL_SERVER)", commandName(cmd))
	}
	return nil
}

// checkAsker refuses to say who asks: the server knows, by the token.
func (a *app) checkAsker(cmd *cobra.Command) error {
	if own := cmd.LocalNonPersistentFlags().Lookup("token-file"); own != nil && own.Changed { // "tenants add" has one of that name
		a.server.TokenFile = own.Value.String()
	}
	if by := cmd.Flags().Lookup("by"); by != nil && by.Changed {
		return usage("--by: the server writes down whose token it is")
	}
	if a.server.TokenFile == "" {
		return usage("--server wants a token: name the file that has it with --token-file or ROLLCALL_TOKEN_FILE")
	}
	return nil
}

// commandName is what a person types behind "rollcall".
func commandName(cmd *cobra.Command) string {
	path := cmd.CommandPath()
	return path[len(cmd.Root().Name())+1:]
}

// remote is the server that was named.
func (a *app) remote() (*remote, error) {
	if a.server.client == nil {
		client, err := apiclient.Open(a.server.Config)
		if err != nil {
			return nil, err
		}
		a.server.client = client
	}
	return &remote{app: a, api: a.server.client}, nil
}
