package controlcenter

import (
	"context"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/notice"
)

// mountNotices has those told who do not watch, where a file says who they are.
func (c *Center) mountNotices(context.Context) (err error) {
	if c.cfg.NoticesFile == "" {
		return nil
	}
	c.notices, err = notice.New(notice.Config{File: c.cfg.NoticesFile, PublicURL: c.cfg.PublicURL},
		notice.Deps{Bus: c.deps.Bus, Logger: c.deps.Logger, Clock: c.deps.Clock, Metrics: c.deps.Metrics})
	if err != nil {
		return err
	}
	c.workers = append(c.workers, c.notices.Run)
	return nil
}
