package contentfulapi_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
)

func TestAllPagesOfAnEnvironmentsActionsAreListed(t *testing.T) {
	w := newFixture(t)
	for i := range 230 {
		w.Install(staging.String(), notification(fmt.Sprintf("a%d", i)), contentfultest.Script{})
	}
	w.Install("another/master", notification("elsewhere"), contentfultest.Script{})
	found, err := w.personal(t).Available(t.Context(), staging)
	if err != nil || len(found) != 230 || found[229].ID != "a229" || found[229].App != ourApp || found[0].Category != "Notification.v1.0" {
		t.Errorf("%d actions, %v", len(found), err)
	}
	if sent := len(w.Requests()); sent != 3 {
		t.Errorf("%d requests, want 3", sent)
	}
}

func TestDefinitionsAreCreatedListedAndReplaced(t *testing.T) {
	w := newFixture(t)
	client := w.personal(t)
	deploy := contentfulapi.Action{
		Name: "Deploy", Description: "Builds the site", Category: "Custom", URL: "https://api.example.com/deploy",
		Parameters: []contentfulapi.Parameter{{ID: "force", Name: "Force", Type: "Boolean"}},
	}
	created, err := client.CreateDefinition(t.Context(), deploy)
	if err != nil || created.ID == "" || created.App != ourApp || created.Type != "endpoint" {
		t.Fatalf("%+v, %v", created, err)
	}
	created.Name = "Deploy now"
	if _, err := client.UpdateDefinition(t.Context(), created); err != nil {
		t.Fatal(err)
	}
	found, err := client.Definitions(t.Context())
	if err != nil || len(found) != 1 || !reflect.DeepEqual(found[0], created) {
		t.Errorf("%+v, %v; want %+v", found, err, created)
	}
	_, err = client.CreateDefinition(t.Context(), contentfulapi.Action{Category: "Custom", URL: "https://api.example.com/x"})
	if failed := asError(t, err); failed.Status != 422 || !strings.Contains(failed.Reason(), "name (required)") {
		t.Errorf("%v", err)
	}
}

func TestTheSigningSecret(t *testing.T) {
	w := newFixture(t)
	client := w.personal(t)
	if ending, err := client.SigningSecret(t.Context()); ending != "" || err != nil {
		t.Errorf("%q, %v", ending, err)
	}
	secret := strings.Repeat("aB3-", 16)
	if err := client.SetSigningSecret(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if ending, err := client.SigningSecret(t.Context()); ending != "aB3-" || err != nil {
		t.Errorf("%q, %v", ending, err)
	}
	for _, wrong := range []string{"", secret[1:], secret + "a", secret[:63] + "ä", secret[:63] + "\n"} {
		if err := client.SetSigningSecret(t.Context(), wrong); err == nil || strings.Contains(err.Error(), "aB3") {
			t.Errorf("%v", err)
		}
	}
}

func TestADefinitionGoes(t *testing.T) {
	w := newFixture(t)
	id := w.Define(contentfulapi.Action{Name: "a", Category: "Entries.v1.0", URL: "https://x.example.com"})
	w.Define(contentfulapi.Action{Name: "b", Category: "Entries.v1.0", URL: "https://x.example.com"})
	for range 2 { // the second finds it gone
		if err := w.personal(t).DeleteDefinition(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if left := w.Definitions(); len(left) != 1 || left[0].Name != "b" {
		t.Errorf("%+v", left)
	}
}

func TestWhereTheAppIsInstalled(t *testing.T) {
	w := newFixture(t)
	w.InstallApp("yadj1kx9rmg0/staging")
	for environment, want := range map[contentfulapi.Environment]bool{staging: true, {Space: "yadj1kx9rmg0", ID: "master"}: false} {
		if got, err := w.personal(t).Installed(t.Context(), environment); got != want || err != nil {
			t.Errorf("%s: %v, %v", environment, got, err)
		}
	}
}

func TestCategoriesAreReadInBothForms(t *testing.T) {
	w := newFixture(t)
	listed, err := w.personal(t).Categories(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/categories.json")
	if err != nil {
		t.Fatal(err)
	}
	var sample struct{ Items []contentfulapi.Category }
	if err := json.Unmarshal(text, &sample); err != nil || !reflect.DeepEqual(sample.Items, listed) {
		t.Errorf("%v\nsample %+v\nlisted %+v", err, sample.Items, listed)
	}
	var inSys contentfulapi.Category
	if err := json.Unmarshal([]byte(`{"sys":{"id":"Entries.v1.0","type":"ActionCategoryType","name":"Entries","parameters":[{"id":"entryIds","type":"Symbol"}]}}`), &inSys); err != nil || inSys.Name != "Entries" || len(inSys.Parameters) != 1 {
		t.Errorf("%+v, %v", inSys, err)
	}
}

func TestAnOrganizationsRoutesNeedAPersonalToken(t *testing.T) {
	w := newFixture(t)
	for _, c := range []struct {
		name       string
		credential contentfulapi.Credential
		want       string
	}{
		{"an app's key", appCredential(t), "takes a personal token"},
		{"no organization", contentfulapi.Credential{Token: personal, App: ourApp}, `"organization" is missing`},
		{"no app", contentfulapi.Credential{Token: personal, Organization: organization}, `"app" is missing`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.client(t, c.credential, contentfulapi.NewTokens()).Definitions(t.Context())
			if failed := asError(t, err); !failed.Permanent() || !strings.Contains(failed.Reason(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSameCategory(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Notification.v1.0", "Notification.v1.0", true},
		{"Notification.v1.0", "Notification.v1.7", true},
		{"Notification.v1.0", "Notifications.v1.0", true},
		{"Notification.v1.0", "Notification.v2.0", false},
		{"Notification.v1.0", "Notification.v10.0", false},
		{"Notification.v1.0", "Entries.v1.0", false},
		{"Custom", "Custom", true},
		{"Custom", "Custom.v1.0", false},
	} {
		if contentfulapi.SameCategory(c.a, c.b) != c.same || contentfulapi.SameCategory(c.b, c.a) != c.same {
			t.Errorf("%s and %s: want %v", c.a, c.b, c.same)
		}
	}
}

func TestHosts(t *testing.T) {
	for host, good := range map[string]bool{
		"": true, "api.eu.contentful.com": true, "https://api.eu.contentful.com/": true, "http://127.0.0.1:8080": true,
		"https://user:secret@api.contentful.com": false, "ftp://api.contentful.com": false, "https://": false, "https://api.contentful.com?x=1": false,
	} {
		if err := contentfulapi.CheckHost(host); (err == nil) != good {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestEnvironments(t *testing.T) {
	if e, err := contentfulapi.ParseEnvironment("yadj1kx9rmg0/master"); err != nil || e.String() != "yadj1kx9rmg0/master" {
		t.Errorf("%v, %v", e, err)
	}
	for _, text := range []string{"", "space", "space/", "/master", "a/b/c", "a/..", "a b/c"} {
		if _, err := contentfulapi.ParseEnvironment(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
