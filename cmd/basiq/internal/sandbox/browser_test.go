//go:build unix

package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/cmd/basiq/internal/browser"
	"github.com/basiq-sdk/basiq-go/generated/core"
	"github.com/basiq-sdk/basiq-go/generated/data"
)

// looks are the screens that the pages are shown on.
var looks = []struct {
	name string
	browser.Options
}{
	{"phone-light", browser.Options{Width: 390, Height: 844}},
	{"desktop-dark", browser.Options{Width: 1280, Height: 800, Dark: true}},
	{"phone-dark", browser.Options{Width: 390, Height: 844, Dark: true}},
	{"desktop-light", browser.Options{Width: 1280, Height: 800}},
}

// TestBrowser drives the pages in a headless Chromium. SCREENSHOTS=directory saves what
// they look like.
func TestBrowser(t *testing.T) {
	b := browser.Start(t)
	for _, look := range looks {
		t.Run("consent link to transactions/"+look.name, func(t *testing.T) { toTransactions(t, b, look.name, look.Options) })
	}
	for i, f := range []struct {
		name  string
		drive func(*testing.T, *browser.Page, string)
	}{
		{"connect", connectMore}, {"manage", manage}, {"extend", extend}, {"update", update}, {"reauthorise", reauthorise}, {"repair", repair},
		{"failure", failure}, {"expired", expired}, {"console", console}, {"keyboard", keyboard}, {"progress", progress}, {"console again", console},
	} {
		look := looks[i%len(looks)]
		t.Run(f.name, func(t *testing.T) { f.drive(t, b.Open(t, look.Options), f.name+"-"+look.name) })
	}
	t.Run("without a script", func(t *testing.T) { withoutScript(t, b) })
}

// fits fails the test if the page is wider than the screen.
func fits(t *testing.T, p *browser.Page) {
	t.Helper()
	if p.Eval("document.documentElement.scrollWidth <= window.innerWidth") != "true" {
		t.Errorf("%s is wider than the screen: %s", p.Eval("document.title"), p.Eval("document.documentElement.scrollWidth"))
	}
	if p.Eval(`[...document.querySelectorAll("input:not([type=hidden]), select, button, a")].every(e => (e.labels && e.labels.length > 0) || e.textContent.trim() !== "")`) != "true" {
		t.Errorf("%s has a control without a name", p.Eval("document.title"))
	}
	if p.Eval(`document.querySelectorAll("h1").length`) != "1" {
		t.Errorf("%s does not have one heading", p.Eval("document.title"))
	}
}

// toTransactions connects a bank that asks two questions.
func toTransactions(t *testing.T, b *browser.Browser, name string, o browser.Options) {
	s := start(t, nil)
	user := s.user(t)
	link := s.link(t, user, basiq.ConsentOptions{State: "checkout-42"})
	p := b.Open(t, o)
	n := 0
	shown := func(title string) {
		t.Helper()
		p.Title(title)
		fits(t, p)
		n++
		p.Screenshot(name + "-" + string(rune('0'+n)))
	}
	p.Go(link)
	shown("Share your data")
	if strings.Contains(p.Eval("location.href"), "token") {
		t.Error("the token stays in the address bar")
	}
	p.Click("button", "Agree")
	shown("Choose your bank")
	p.Fill("#q", "pied")
	p.Click("button", "Search")
	p.Wait(`document.querySelectorAll(".choices a").length === 1`)
	p.Click(".choices a", "Pied Piper")
	shown("Log in to Pied Piper")
	p.Click("button.primary", "Log in")
	shown("Error: ")
	p.Fill("#login", basiqtest.Whistler.ID)
	p.Fill("#password", basiqtest.Whistler.Password)
	p.Click("button.primary", "Log in")
	shown("has a question")
	p.Fill("#answer0", "Basiq")
	p.Fill("#answer1", "AU00000")
	p.Click("button", "Continue")
	shown("is connected")
	p.Click("a", "Return to the app")
	shown("Back in your app")
	if text := p.Text(); !strings.Contains(text, "checkout-42") || !strings.Contains(text, s.state(t, user).Jobs[0].ID) {
		t.Error(text)
	}
	rows := 0
	for _, err := range s.client.Data.Transactions.All(t.Context(), user, data.ListTransactionsParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
	}
	if rows != 208 {
		t.Errorf("%d transactions", rows)
	}
}

// connectMore connects a second bank by open banking, with a published login.
func connectMore(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	user := s.user(t, basiqtest.Whistler)
	p.Go(s.link(t, user, basiq.ConsentOptions{Action: basiq.ConsentActionConnect, InstitutionID: basiqtest.Hooli}))
	p.Title("Log in to Hooli")
	p.Eval(`(document.querySelector("[value=open-banking]").checked = true)`)
	p.Eval(`(document.querySelector("details.logins").open = true)`)
	p.Screenshot(name)
	p.Click("button[name=use]", "richard")
	p.Title("Hooli is connected")
	if u := s.state(t, user); len(u.Connections) != 2 || u.Connections[1].Method != "open-banking" || u.Connections[1].Login != "richard" || len(u.Consents) != 1 {
		t.Errorf("%+v", u)
	}
}

func manage(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	user := s.user(t, basiqtest.Whistler)
	p.Go(s.link(t, user, basiq.ConsentOptions{Action: basiq.ConsentActionManage}))
	p.Title("Your consent")
	fits(t, p)
	p.Screenshot(name)
	p.Click("a", "Stop sharing")
	p.Title("Stop sharing your data?")
	p.Screenshot(name + "-2")
	p.Click("button", "Stop sharing")
	p.Title("You are not sharing")
	p.Click("a", "Return to the app")
	p.Title("Back in your app")
	if u := s.state(t, user); u.Consent != "revoked" || len(u.Connections) != 0 {
		t.Errorf("%+v", u)
	}
}

func extend(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	user := s.user(t, basiqtest.Whistler)
	s.app().Advance(300 * 24 * time.Hour)
	before := s.state(t, user).Consents[0].Expires
	p.Go(s.link(t, user, basiq.ConsentOptions{Action: basiq.ConsentActionExtend}))
	p.Title("Keep sharing your data")
	fits(t, p)
	p.Screenshot(name)
	p.Click("button", "Keep sharing")
	p.Title("Thank you")
	p.Screenshot(name + "-2")
	if u := s.state(t, user); len(u.Consents) != 1 || !u.Consents[0].Expires.After(before.AddDate(0, 9, 0)) || len(u.Connections) != 1 {
		t.Errorf("%+v", u)
	}
}

func update(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	user := s.user(t, basiqtest.Whistler)
	p.Go(s.link(t, user, basiq.ConsentOptions{Action: basiq.ConsentActionUpdate}))
	p.Title("Review the changes")
	p.Click("button", "Agree")
	p.Title("Thank you") // nothing changed
	s.app().ChangeConsentPolicy()
	p.Go(s.link(t, user, basiq.ConsentOptions{Action: basiq.ConsentActionUpdate}))
	p.Title("Review the changes")
	fits(t, p)
	p.Screenshot(name)
	p.Click("button", "Agree")
	p.Title("Choose your bank")
	if u := s.state(t, user); len(u.Consents) != 2 || u.Consents[0].Status != "revoked" || u.Consents[1].Status != "active" || len(u.Connections) != 0 {
		t.Errorf("%+v", u)
	}
}

func reauthorise(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	user := s.user(t, basiqtest.Whistler.OpenBanking(), basiqtest.Richard)
	s.app().Advance(361 * 24 * time.Hour)
	p.Go(s.link(t, user, basiq.ConsentOptions{Action: basiq.ConsentActionReauthorise}))
	p.Title("Renew your connections")
	fits(t, p)
	p.Screenshot(name)
	if p.Eval(`document.querySelectorAll(".accounts li").length`) != "1" {
		t.Error(p.Text())
	}
	p.Click("a", "Renew")
	p.Title("Log in to Hooli")
	p.Eval(`(document.querySelector("details.logins").open = true)`)
	p.Click("button[name=use]", "Whistler")
	p.Title("Hooli is connected")
	if u := s.state(t, user); len(u.Connections) != 2 || u.Connections[0].Expires.Before(s.app().Now().AddDate(0, 11, 0)) {
		t.Errorf("%+v", u.Connections)
	}
}

func repair(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	user := s.user(t, basiqtest.Whistler)
	connection := s.state(t, user).Connections[0].ID
	if err := s.app().InvalidateConnection(connection); err != nil {
		t.Fatal(err)
	}
	p.Go(s.link(t, user, basiq.ConsentOptions{Action: basiq.ConsentActionConnect, ConnectionID: connection}))
	p.Title("Log in to Hooli")
	p.Screenshot(name)
	p.Fill("#login", basiqtest.Whistler.ID)
	p.Fill("#password", basiqtest.Whistler.Password)
	p.Click("button.primary", "Log in")
	p.Title("Hooli is connected")
	if u := s.state(t, user); len(u.Connections) != 1 || u.Connections[0].Status != "active" {
		t.Errorf("%+v", u.Connections)
	}
}

func failure(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	user := s.user(t)
	p.Go(s.link(t, user, basiq.ConsentOptions{}))
	p.Click("button", "Agree")
	p.Click(".choices a", "Hooli")
	p.Title("Log in to Hooli")
	p.Click("button.primary", "Log in")
	p.Title("Error: Log in to Hooli")
	if width := p.Eval(`getComputedStyle(document.querySelector("#login")).borderTopWidth`); width != "2px" {
		t.Errorf("a field that is not valid is not marked: its border is %s", width)
	}
	p.Fill("#login", basiqtest.Bighead.ID)
	p.Fill("#password", basiqtest.Bighead.Password)
	p.Click("button.primary", "Log in")
	p.Title("could not be connected")
	fits(t, p)
	p.Screenshot(name)
	if text := p.Text(); !strings.Contains(text, "The login is locked.") {
		t.Error(text)
	}
	p.Click("a", "Try again")
	p.Title("Log in to Hooli")
	p.Eval(`(document.querySelector("details.logins").open = true)`)
	p.Click("button[name=use]", "jared")
	p.Title("Hooli is connected")
	p.Click("a", "Return to the app")
	p.Title("Back in your app")
	for _, j := range s.state(t, user).Jobs {
		if !strings.Contains(p.Text(), j.ID) {
			t.Errorf("the return URL lacks job %s: %s", j.ID, p.Text())
		}
	}
}

func expired(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	link := s.link(t, s.user(t), basiq.ConsentOptions{})
	p.Go(link)
	p.Title("Share your data")
	s.app().Advance(2 * time.Hour)
	p.Click("button", "Agree")
	p.Title("This link does not work any more")
	fits(t, p)
	p.Screenshot(name)
	p.Go(link)
	p.Title("This link does not work")
	if text := p.Eval("document.documentElement.outerHTML"); !strings.Contains(text, "token has expired") || strings.Contains(text, "not-a-token.") {
		t.Error(text)
	}
}

// keyboard gives consent and chooses a bank without a mouse.
func keyboard(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	p.Go(s.link(t, s.user(t), basiq.ConsentOptions{}))
	p.Title("Share your data")
	reach := func(text string) {
		t.Helper()
		for range 30 {
			if strings.Contains(p.Eval("document.activeElement.textContent + (document.activeElement.labels ? [...document.activeElement.labels].map(l => l.textContent) : '')"), text) && p.Eval("document.activeElement !== document.body") == "true" {
				return
			}
			p.Key("Tab")
		}
		t.Fatalf("%q cannot be reached by keyboard", text)
	}
	p.Key("Tab")
	reach("Skip to content")
	p.Screenshot(name)
	reach("Agree")
	p.Key("Enter")
	p.Title("Choose your bank")
	p.Key("Tab")
	reach("Hooli")
	p.Key("Enter")
	p.Title("Log in to Hooli")
	p.Key("Tab")
	reach("Login")
	for _, letter := range basiqtest.Jared.ID {
		p.Key(string(letter))
	}
	p.Key("Tab")
	for _, letter := range basiqtest.Jared.Password {
		p.Key(string(letter))
	}
	p.Key("Enter")
	p.Title("Hooli is connected")
}

// progress shows a job that takes its time.
func progress(t *testing.T, p *browser.Page, name string) {
	s := start(t, func(c *Config) { c.Polled, c.Pace = false, time.Hour })
	p.Go(s.link(t, s.user(t), basiq.ConsentOptions{}))
	p.Click("button", "Agree")
	p.Click(".choices a", "myGov")
	p.Title("Log in to myGov")
	p.Fill("#login", basiqtest.Jared.ID)
	p.Fill("#password", basiqtest.Jared.Password)
	p.Click("button.primary", "Log in")
	p.Title("Connecting myGov")
	s.app().Advance(30 * time.Minute)
	p.Wait(`document.querySelectorAll("#progress li").length === 4`)
	fits(t, p)
	p.Screenshot(name + "-running")
	s.app().FinishJobs()
	p.Title("is connected") // the script follows the job
	p.Screenshot(name)
}

// withoutScript goes from the consent link to a connection without JavaScript. The driver
// still evaluates expressions.
func withoutScript(t *testing.T, b *browser.Browser) {
	s := start(t, nil)
	p := b.Open(t, browser.Options{Width: 390, Height: 844, NoScript: true})
	p.Go(s.link(t, s.user(t), basiq.ConsentOptions{}))
	p.Click("button", "Agree")
	p.Click(".choices a", "Pied Piper")
	p.Title("Log in")
	p.Eval(`(document.querySelector("details.logins").open = true)`)
	p.Click("button[name=use]", "jared")
	p.Title("has a question")
	p.Fill("#answer0", "1234")
	p.Click("button", "Continue")
	p.Title("is connected")
	p.Click("a", "Return to the app")
	p.Title("Back in your app")
}

// console creates a user, connects a bank, injects a fault and sees it in the log.
func console(t *testing.T, p *browser.Page, name string) {
	s := start(t, nil)
	p.Go(s.url + "/_sandbox/")
	p.Title("Console")
	p.Wait(`document.querySelector("#key").textContent === "sandbox-key"`)
	p.Fill("#email", "erika@example.com")
	p.Click("#create button", "Create user")
	p.Wait(`document.querySelector("#details code") !== null`)
	user := s.app().Users()[0].ID
	if _, err := s.client.Core.Users.Update(t.Context(), user, core.UpdateUserParams{LastName: new(strings.Repeat("N", 300))}); err != nil {
		t.Fatal(err)
	}
	p.Wait(`document.querySelector("#details").innerText.includes("NNN")`)
	p.Click("#details button", "Connect Hooli")
	p.Wait(`document.querySelector("#details").innerText.includes("Goal Saver")`)
	fits(t, p)
	p.Screenshot(name)
	p.Click("#details button", "Invalidate")
	p.Wait(`document.querySelector("#details").innerText.includes("invalid")`)
	p.Fill("#fault [name=status]", "503")
	p.Click("#fault button", "Inject")
	p.Wait(`document.querySelector("#faults table") !== null`)
	if err := s.client.Core.Users.Delete(t.Context(), "00000000-0000-4000-8000-000000000000"); err == nil {
		t.Error("a user who does not exist is deleted")
	}
	p.Wait(`document.querySelector("#log").innerText.includes("503")`)
	if p.Eval(`document.querySelector("#log .tag").getBoundingClientRect().right <= window.innerWidth`) != "true" {
		t.Error("the status of a request is beside the screen")
	}
	p.Click("main button", "Advance 1 year")
	p.Wait(`document.querySelector("#message").innerText.includes("Advance 1 year")`)
	if u := s.state(t, user); u.Consent != "expired" {
		t.Errorf("%+v", u)
	}
}
