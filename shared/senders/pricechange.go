package senders

import (
	"encoding/json"
	"time"
)

// PriceChange is a product whose price has changed, as either event API tells it.
type PriceChange struct {
	ID         string // of the event
	Product    string // UUID
	Identifier string
	From, To   int
	Author     string // UUID of the user
	At         time.Time
}

// EventPlatform is the event com.akeneo.pim.v1.product.updated.delta.
func (p PriceChange) EventPlatform() json.RawMessage {
	type object = map[string]any
	return encode(object{
		"specversion": "1.0", "id": p.ID, "type": "com.akeneo.pim.v1.product.updated.delta", "source": "pim",
		"subject": "019256aa-7f77-7f58-bc8c-770f7e369c5b", "datacontenttype": "application/json", "time": p.At.UTC().Format(time.RFC3339Nano),
		"data": object{
			"product": object{"uuid": p.Product, "changes": object{"values": object{
				"price": []object{{"previous": p.From, "new": p.To, "locale": nil, "channel": "ecommerce"}},
			}}},
			"author": object{"identifier": p.Author, "type": "user"},
		},
	})
}

// EventsAPI is the event product.updated, which says nothing of what was before.
func (p PriceChange) EventsAPI() json.RawMessage {
	type object = map[string]any
	return encode(object{
		"action": "product.updated", "event_id": p.ID, "event_datetime": p.At.UTC().Format(time.RFC3339), "author": "julia", "author_type": "ui",
		"pim_source": "https://pim.example.com",
		"data": object{"resource": object{"uuid": p.Product, "identifier": p.Identifier, "values": object{
			"price": []object{{"data": p.To, "locale": nil, "scope": "ecommerce"}},
		}}},
	})
}
