package pim

import (
	"strings"
	"testing"
	"time"
)

func TestThePositionDecidesTheItems(t *testing.T) {
	for _, row := range []struct{ position, want string }{
		{"pim.product.header", `{"productUuid":"`},
		{"pim.product.panel", `{"productUuid":"`},
		{"pim.product-model.header", `{"productModelCode":"`},
		{"pim.sub-product-model.header", `{"productModelCode":"`},
		{"pim.product-grid.action-bar", `{"productUuids":["`},
		{"pim.product.index", `{}`},
	} {
		body := Press{Position: row.position}.made(time.Unix(1, 0)).Body()
		if !strings.HasPrefix(string(body), `{"data":`+row.want) {
			t.Errorf("%s: %s", row.position, body)
		}
	}
}

func TestAGridSelectsAtMost500(t *testing.T) {
	for items, want := range map[int]int{-1: 3, 0: 3, 1: 1, 500: 500, 501: 500} {
		if got := len(Press{Position: "pim.product-grid.action-bar", Items: items}.made(time.Unix(1, 0)).Products); got != want {
			t.Errorf("%d items asked for: %d, want %d", items, got, want)
		}
	}
	chosen := Press{Position: "pim.product-grid.action-bar", Items: 9, Models: []string{"shirt"}}.made(time.Unix(1, 0))
	if len(chosen.Products) != 0 || len(chosen.Models) != 1 {
		t.Errorf("named items were replaced: %+v", chosen)
	}
}
