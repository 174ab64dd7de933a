package pim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Attribute says what values of it look like (Akeneo: "Catalog structure").
type Attribute struct {
	Code          string            `json:"code"`
	Type          string            `json:"type"` // pim_catalog_text, …; an open list
	Localizable   bool              `json:"localizable"`
	Scopable      bool              `json:"scopable"`
	Locales       []string          `json:"available_locales"` // of a locale-specific attribute; empty: all
	Main          bool              `json:"is_main_identifier"`
	MetricFamily  string            `json:"metric_family"`
	ReferenceData string            `json:"reference_data_name"`
	Decimals      bool              `json:"decimals_allowed"` // of a number, a price or a measurement
	Labels        map[string]string `json:"-"`
}

// Channel is what a PIM publishes for: its locales and currencies.
type Channel struct {
	Code       string
	Locales    []string
	Currencies []string
	Tree       string            // code of its category tree
	Units      map[string]string // by attribute: the unit that its exports convert a measurement to
	Labels     map[string]string
}

// SystemInformation says which PIM answers.
type SystemInformation struct {
	Version string `json:"version"`
	Edition string `json:"edition"`
}

// structure is what a Client has read of the catalogue's structure. It is kept as long as the Client.
type structure struct {
	mu         sync.Mutex
	main       string               // code of the main identifier's attribute
	attributes map[string]Attribute // by code; those that do not exist are not in it
	channels   []Channel

	measurements []MeasurementFamily
}

// MainIdentifier is the code of the attribute that identifies products for people, the SKU in most catalogues. It is read
// once.
func (c *Client) MainIdentifier(ctx context.Context) (string, error) {
	c.structure.mu.Lock()
	code := c.structure.main
	c.structure.mu.Unlock()
	if code != "" {
		return code, nil
	}
	found, err := c.listAttributes(ctx, `{"is_main_identifier":[{"operator":"=","value":true}]}`)
	if err != nil {
		return "", err
	}
	for _, attribute := range found {
		// A PIM before 7.0 ignores the filter's property: its one identifier is of the type.
		if attribute.Main || (code == "" && attribute.Type == "pim_catalog_identifier") {
			code = attribute.Code
		}
	}
	if code == "" {
		return "", &Error{Method: http.MethodGet, Path: attributesPath, Status: http.StatusOK, malformed: true}
	}
	c.structure.mu.Lock()
	defer c.structure.mu.Unlock()
	c.structure.main = code
	return code, nil
}

const attributesPath = "/api/rest/v1/attributes"

// Attributes reads attributes by code, each once. What the PIM does not have, or hides, is missing from the result.
func (c *Client) Attributes(ctx context.Context, codes ...string) (map[string]Attribute, error) {
	found := make(map[string]Attribute, len(codes))
	var missing []string
	c.structure.mu.Lock()
	for _, code := range codes {
		if attribute, there := c.structure.attributes[code]; there {
			found[code] = attribute
		} else {
			missing = append(missing, code)
		}
	}
	c.structure.mu.Unlock()
	for _, part := range parts(missing) {
		filter, err := json.Marshal(map[string]any{"code": []map[string]any{{"operator": "IN", "value": part}}})
		if err != nil {
			return nil, err
		}
		read, err := c.listAttributes(ctx, string(filter))
		if err != nil {
			return nil, err
		}
		c.structure.mu.Lock()
		for _, attribute := range read {
			found[attribute.Code], c.structure.attributes[attribute.Code] = attribute, attribute
		}
		c.structure.mu.Unlock()
	}
	return found, nil
}

func (c *Client) listAttributes(ctx context.Context, filter string) ([]Attribute, error) {
	var wire []struct {
		Code          string          `json:"code"`
		Type          string          `json:"type"`
		Localizable   loose           `json:"localizable"`
		Scopable      loose           `json:"scopable"`
		Locales       []string        `json:"available_locales"`
		Main          loose           `json:"is_main_identifier"`
		MetricFamily  string          `json:"metric_family"`
		ReferenceData string          `json:"reference_data_name"`
		Decimals      loose           `json:"decimals_allowed"`
		Labels        json.RawMessage `json:"labels"`
	}
	if err := c.all(ctx, attributesPath, url.Values{"search": {filter}}, &wire); err != nil {
		return nil, err
	}
	found := make([]Attribute, len(wire))
	for i, w := range wire {
		found[i] = Attribute{
			Code: w.Code, Type: w.Type, Localizable: bool(w.Localizable), Scopable: bool(w.Scopable), Locales: w.Locales,
			Main: bool(w.Main), MetricFamily: w.MetricFamily, ReferenceData: w.ReferenceData,
			Decimals: bool(w.Decimals), Labels: labels(w.Labels),
		}
	}
	return found, nil
}

// Channels reads all channels, once.
func (c *Client) Channels(ctx context.Context) ([]Channel, error) {
	c.structure.mu.Lock()
	channels := c.structure.channels
	c.structure.mu.Unlock()
	if channels != nil {
		return channels, nil
	}
	var wire []struct {
		Code       string          `json:"code"`
		Locales    []string        `json:"locales"`
		Currencies []string        `json:"currencies"`
		Tree       string          `json:"category_tree"`
		Units      json.RawMessage `json:"conversion_units"`
		Labels     json.RawMessage `json:"labels"`
	}
	if err := c.all(ctx, "/api/rest/v1/channels", url.Values{}, &wire); err != nil {
		return nil, err
	}
	channels = make([]Channel, len(wire))
	for i, w := range wire {
		channels[i] = Channel{Code: w.Code, Locales: w.Locales, Currencies: w.Currencies, Tree: w.Tree, Units: conversions(w.Units), Labels: labels(w.Labels)}
	}
	c.structure.mu.Lock()
	defer c.structure.mu.Unlock()
	c.structure.channels = channels
	return channels, nil
}

// SystemInformation asks the PIM what it is.
func (c *Client) SystemInformation(ctx context.Context) (info SystemInformation, err error) {
	err = c.getJSON(ctx, request{path: "/api/rest/v1/system-information"}, &info)
	return info, err
}

// all reads every page of a resource that is listed by page number into a slice.
func (c *Client) all(ctx context.Context, path string, query url.Values, into any) error {
	var items []json.RawMessage
	query.Set("limit", strconv.Itoa(MaxPage))
	for number := 1; ; number++ {
		query.Set("page", strconv.Itoa(number))
		var page struct {
			Embedded *struct {
				Items []json.RawMessage `json:"items"`
			} `json:"_embedded"`
		}
		r := request{path: path, query: query}
		if err := c.getJSON(ctx, r, &page); err != nil {
			return err
		}
		if page.Embedded == nil {
			return &Error{Method: http.MethodGet, Path: path, Status: http.StatusOK, malformed: true}
		}
		items = append(items, page.Embedded.Items...)
		if len(page.Embedded.Items) < MaxPage {
			break
		}
	}
	text, err := json.Marshal(items)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return &Error{Method: http.MethodGet, Path: path, Status: http.StatusOK, malformed: true}
	}
	return nil
}

// labels reads a map to texts, such as one from locale to label; a text may be null, and no texts may be [].
func labels(text json.RawMessage) map[string]string {
	var found map[string]*string
	if len(text) == 0 || decodeMap(text, &found) != nil {
		return nil
	}
	clean := make(map[string]string, len(found))
	for locale, label := range found {
		if label != nil && *label != "" {
			clean[locale] = *label
		}
	}
	return clean
}

// conversions reads a channel's units by attribute. Newer PIMs keep rules of other shapes beside them, for families and
// locales (Akeneo: "Target market settings"): their exports' use of these is not documented, and they are left out.
func conversions(text json.RawMessage) map[string]string {
	var found map[string]json.RawMessage
	if len(text) == 0 || decodeMap(text, &found) != nil {
		return nil
	}
	units := make(map[string]string, len(found))
	for attribute, rule := range found {
		var unit string
		if json.Unmarshal(rule, &unit) == nil && unit != "" {
			units[attribute] = unit
		}
	}
	return units
}

// loose is a boolean that some PIMs write as a text or a number.
type loose bool

// UnmarshalJSON accepts true, "1", 1 and null.
func (b *loose) UnmarshalJSON(text []byte) error {
	switch strings.Trim(string(text), `"`) {
	case "true", "1":
		*b = true
	default:
		*b = false
	}
	return nil
}
