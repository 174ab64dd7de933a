package engine_test

import (
	"context"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

// script is a kind of action whose runs are the test's own function.
type script struct {
	batch int
	run   func(context.Context, engine.Run) (engine.Result, error)
}

func (s *script) Check(config.Section) error                                 { return nil }
func (s *script) Open(config.Section, engine.Secrets) (engine.Action, error) { return s, nil }
func (s *script) Batch() int                                                 { return s.batch }
func (s *script) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	return s.run(ctx, run)
}

// with is the memory backing with one scripted kind.
func (s *script) backing() backing {
	b := memory
	b.kinds = map[string]engine.Kind{"script": s}
	return b
}
