package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func (s *simulated) pushCommand() *cobra.Command {
	return &cobra.Command{
		Use: "push on|off", Short: "Deliver all providers' notifications, or lose them", Example: "  rollcall simulate push off",
		Args: cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs), ValidArgs: []string{"on", "off"},
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			client, err := s.client(cmd.Context())
			if err != nil {
				return err
			}
			if err := client.SetPush(cmd.Context(), control.Push{Mode: control.PushMode(args[0])}); err != nil {
				return err
			}
			return s.print("push "+args[0], "", control.Change{Count: 1, At: time.Now()})
		}),
	}
}

// lagging are the logs of Google that say late who was put into a group, and who is a user.
var lagging = []string{"admin", "groups_enterprise"}

func (s *simulated) lagCommand() *cobra.Command {
	return &cobra.Command{
		Use: "lag DURATION", Short: "Let Google's logs, and the pushes of them, come late; 0 ends it", Example: "  rollcall simulate lag 2h\n  rollcall simulate lag 0",
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			lag, err := time.ParseDuration(args[0])
			if err != nil || lag < 0 {
				return usage("%q: want a duration, e.g. 10m", args[0])
			}
			client, err := s.client(cmd.Context())
			if err != nil {
				return err
			}
			settings, err := client.Settings(cmd.Context())
			if err != nil {
				return err
			}
			settings.ActivityLag = map[string]time.Duration{}
			for _, application := range lagging {
				settings.ActivityLag[application] = lag
			}
			if err := client.PutSettings(cmd.Context(), settings); err != nil {
				return err
			}
			return s.print("lag "+args[0], "", control.Change{Count: 1, At: time.Now()})
		}),
	}
}

// ways are those in which a person may have a change made, the Admin console first.
var ways = []control.Via{
	control.ViaConsole, control.ViaAPI, control.ViaCloudIdentity, control.ViaGroupsUI, control.ViaBulkUpload, control.ViaGoogle,
}

// vias names them.
func vias() string {
	var names []string
	for _, way := range ways[1:] {
		names = append(names, string(way))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
