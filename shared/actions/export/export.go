// Package export is the kind of action that makes a file of products: CSV as the PIM's own export profiles write it
// (package table), XLSX with the same cells, or NDJSON, a product a line in the PIM's own form.
//
// Each batch keeps its rows as a part. Columns, their order and the order of rows are known only when all batches are
// through: Finish makes the file of the parts, piece by piece, and goes on in another turn where one is too short. A whole
// file can then be put on an SFTP server (send.go). A run that is killed anywhere and begun again makes the same file.
package export

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/pim-functions/pim-functions/shared/actions/export/table"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/sftp"
)

// Kind makes export actions.
type Kind struct {
	Client *outbound.Client // makes connections to SFTP servers
	step   int64            // bytes that are sent before the record is written; 0: as package sftp does
	pages  int              // of variants that are read before the record is written; 0: variantPages
}

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	p, err := parse(section)
	return errors.Join(err, p.warning(section))
}

// Open implements engine.Kind.
func (k Kind) Open(section config.Section, secrets engine.Secrets) (engine.Action, error) {
	p, err := parse(section)
	if err != nil {
		return nil, err
	}
	a := &action{plan: p, client: k.Client, step: k.step, pages: cmp.Or(k.pages, variantPages)}
	if p.to != "" {
		if a.server, err = serverOf(section, p.to, secrets); err != nil {
			return nil, err
		}
	}
	return a, nil
}

type action struct {
	plan
	client *outbound.Client
	step   int64
	pages  int
	server sftp.Server // where files are put; none: they stay here
}

var (
	_ engine.Reader   = (*action)(nil)
	_ engine.Finisher = (*action)(nil)
)

// Batch is how many products one list call of the PIM brings.
func (*action) Batch() int { return pim.MaxPage }

// Reads implements engine.Reader.
func (a *action) Reads() *engine.Reads {
	return &engine.Reads{Attributes: a.attributes, Labels: a.Labels.Values, Complete: a.Complete}
}

// kinds of rows, each of which has a file of its own.
var kinds = []string{pim.TypeProduct, pim.TypeModel}

// partName is the name of a batch's rows of one type.
func partName(first int, kind string) string { return fmt.Sprintf("%09d-%s.ndjson", first, kind) }

// Run keeps one batch's rows.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Files == nil {
		return engine.Result{}, engine.Permanent("this deployment keeps no files, so that it cannot make one", nil)
	}
	if err := a.missing(run); err != nil {
		return engine.Result{}, err
	}
	client, err := run.Client(ctx)
	if err != nil {
		return engine.Result{}, err
	}
	if len(run.State) > 0 {
		return a.goOnExpanding(ctx, client, run)
	}
	for _, kind := range kinds {
		var products []pim.Product
		for _, view := range run.Products {
			if view.Type() == kind {
				products = append(products, view.Product())
			}
		}
		key := files.PartKey(run.Job, partName(run.First, kind))
		if len(products) == 0 {
			if len(run.Items) == 0 || run.Attempt > 1 || run.Interrupted { // an earlier try may have had some
				if err := run.Files.Delete(ctx, key); err != nil {
					return engine.Result{}, fmt.Errorf("delete part: %w", err)
				}
			}
			continue
		}
		if err := a.store(ctx, client, run, key, kind, products); err != nil {
			return engine.Result{}, err
		}
	}
	if a.Expand {
		return a.expand(ctx, client, run)
	}
	return engine.Result{}, nil
}

// store keeps products as a part.
func (a *action) store(ctx context.Context, client *pim.Client, run engine.Run, key, kind string, products []pim.Product) error {
	var part bytes.Buffer
	if err := a.writePart(ctx, client, run, kind, products, &part); err != nil {
		return err
	}
	if err := run.Files.Put(ctx, key, part.Bytes(), "application/x-ndjson"); err != nil {
		return fmt.Errorf("store part: %w", err)
	}
	return nil
}

// missing refuses a run whose products did not come along.
func (a *action) missing(run engine.Run) error {
	if len(run.Products) == len(run.Items) {
		return nil
	}
	return errors.New("export: items without products")
}

func (a *action) writePart(ctx context.Context, client *pim.Client, run engine.Run, kind string, products []pim.Product, to *bytes.Buffer) error {
	if a.Format == formatNDJSON {
		main, err := mainIdentifier(ctx, client)
		if err != nil {
			return err
		}
		return table.WriteProducts(to, main, a.Expand, products)
	}
	form, structure, err := a.structure(ctx, client, run, kind)
	if err != nil {
		return err
	}
	linked, err := a.forBatch(ctx, client, form, &structure, products)
	if err != nil {
		return err
	}
	return table.WritePart(to, form, structure, linked, products)
}

// identifierColumn is what the main identifier is called where the connection may not list attributes.
const identifierColumn = "identifier"

func mainIdentifier(ctx context.Context, client *pim.Client) (string, error) {
	main, err := client.MainIdentifier(ctx)
	if failed, ok := errors.AsType[*pim.Error](err); ok && (failed.Status == http.StatusForbidden || failed.NotFound()) {
		return identifierColumn, nil
	}
	return main, err
}
