package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

type version struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a tree with changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which rollcall this is",
		Args:  cobra.NoArgs,
		RunE: run(codeFailed, func(*cobra.Command, []string) error {
			return output.One(a.printer, buildVersion(), func(v version) string {
				text := "rollcall " + v.Version
				if v.Commit != "" {
					text += " (" + v.Commit + ")"
				}
				return fmt.Sprintf("%s, %s, %s\n", text, v.Go, v.Platform)
			})
		}),
	}
}

func buildVersion() version {
	v := version{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
