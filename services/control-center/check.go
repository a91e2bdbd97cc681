package controlcenter

import (
	"os"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/accessfile"
	"github.com/rollcall-hq/rollcall/services/internal/config"
)

// CheckFiles tells everything that is wrong with the files that the Control Center reads, where the process has one. That a file
// cannot be read at all the configuration tells: see config.Config.CheckFiles.
func CheckFiles(cfg config.Config) error {
	path := cfg.Center.AccessFile
	if path == "" || !cfg.HasRole(config.RoleControlCenter) {
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		return nil //nolint:nilerr // see above
	}
	return accessfile.Check(path)
}
