package canon

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// kind is the kind of a node in an OpenAPI document. It decides whether the
// node's keys are keywords of OpenAPI or names of the API.
type kind int

const (
	value kind = iota // data: kept unchanged
	document
	info
	servers
	server
	serverVars
	serverVar
	pathsMap
	webhooksMap
	pathItem
	operation
	parameters
	parameter
	requestBody
	responsesMap
	responseComponents
	response
	contentMap
	mediaType
	encodingMap
	encoding
	headersMap
	header
	schema
	schemasMap
	schemaList
	components
	parametersMap
	bodiesMap
	securityMap
	securityScheme
	oauthFlows
	oauthFlow
	requirements
	requirement
	scopes
	discriminator
	callbacksMap
	callback
	nameList // a list of names whose order is irrelevant
	tagList
	enumList
	text
)

// keyword is a keyword that is kept, and the kind of its value. Snapshots order
// keywords as they are listed here.
type keyword struct {
	name string
	kind kind
}

// objects lists the keywords of each kind of object. Other keys are dropped if
// they are prose or extensions, and are errors otherwise.
var objects = map[kind][]keyword{
	document: {{"openapi", text}, {"jsonSchemaDialect", text}, {"info", info}, {"servers", servers}, {"security", requirements},
		{"paths", pathsMap}, {"webhooks", webhooksMap}, {"components", components}},
	info:        {{"title", text}, {"version", text}},
	server:      {{"url", text}, {"variables", serverVars}},
	serverVar:   {{"default", text}, {"enum", enumList}},
	pathItem:    {{"$ref", text}, {"servers", servers}, {"parameters", parameters}, {"get", operation}, {"head", operation}, {"options", operation}, {"post", operation}, {"put", operation}, {"patch", operation}, {"delete", operation}, {"trace", operation}},
	operation:   {{"operationId", text}, {"tags", tagList}, {"deprecated", text}, {"security", requirements}, {"servers", servers}, {"parameters", parameters}, {"requestBody", requestBody}, {"responses", responsesMap}, {"callbacks", callbacksMap}},
	parameter:   {{"$ref", text}, {"name", text}, {"in", text}, {"required", text}, {"deprecated", text}, {"allowEmptyValue", text}, {"style", text}, {"explode", text}, {"allowReserved", text}, {"schema", schema}, {"content", contentMap}},
	header:      {{"$ref", text}, {"required", text}, {"deprecated", text}, {"style", text}, {"explode", text}, {"schema", schema}, {"content", contentMap}},
	requestBody: {{"$ref", text}, {"required", text}, {"content", contentMap}},
	response:    {{"$ref", text}, {"description", text}, {"headers", headersMap}, {"content", contentMap}},
	mediaType:   {{"schema", schema}, {"encoding", encodingMap}},
	encoding:    {{"contentType", text}, {"headers", headersMap}, {"style", text}, {"explode", text}, {"allowReserved", text}},
	schema: {{"$ref", text}, {"type", nameList}, {"format", text}, {"nullable", text}, {"readOnly", text}, {"writeOnly", text}, {"deprecated", text},
		{"enum", enumList}, {"const", value}, {"default", value}, {"multipleOf", text}, {"minimum", text}, {"exclusiveMinimum", text}, {"maximum", text}, {"exclusiveMaximum", text},
		{"minLength", text}, {"maxLength", text}, {"pattern", text}, {"minItems", text}, {"maxItems", text}, {"uniqueItems", text}, {"minProperties", text}, {"maxProperties", text},
		{"contentMediaType", text}, {"contentEncoding", text},
		{"required", nameList}, {"properties", schemasMap}, {"patternProperties", schemasMap}, {"additionalProperties", schema}, {"propertyNames", schema}, {"items", schema}, {"prefixItems", schemaList},
		{"allOf", schemaList}, {"oneOf", schemaList}, {"anyOf", schemaList}, {"not", schema}, {"discriminator", discriminator}, {"$defs", schemasMap}, {"definitions", schemasMap}},
	discriminator:  {{"propertyName", text}, {"mapping", value}},
	components:     {{"schemas", schemasMap}, {"responses", responseComponents}, {"parameters", parametersMap}, {"requestBodies", bodiesMap}, {"headers", headersMap}, {"securitySchemes", securityMap}, {"callbacks", callbacksMap}},
	securityScheme: {{"$ref", text}, {"type", text}, {"name", text}, {"in", text}, {"scheme", text}, {"bearerFormat", text}, {"openIdConnectUrl", text}, {"flows", oauthFlows}},
	oauthFlows:     {{"implicit", oauthFlow}, {"password", oauthFlow}, {"clientCredentials", oauthFlow}, {"authorizationCode", oauthFlow}},
	oauthFlow:      {{"authorizationUrl", text}, {"tokenUrl", text}, {"refreshUrl", text}, {"scopes", scopes}},
}

// Keywords whose values have the same type wherever they occur.
var (
	flags   = set("nullable readOnly writeOnly deprecated uniqueItems explode allowReserved allowEmptyValue")
	amounts = set("multipleOf minimum maximum")
	lengths = set("minLength maxLength minItems maxItems minProperties maxProperties")
)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// WrongType returns what is wrong with the value of a keyword, or "".
func WrongType(keyword string, n *yaml.Node) string {
	must := ""
	switch {
	case flags[keyword] && n.Tag != "!!bool":
		must = "true or false"
	case amounts[keyword] && n.Tag != "!!int" && n.Tag != "!!float":
		must = "a number"
	case lengths[keyword] && (n.Tag != "!!int" || strings.HasPrefix(n.Value, "-")):
		must = "a whole number, zero or more"
	case keyword == "required" && n.Kind == yaml.ScalarNode && n.Tag != "!!bool":
		must = "a list of names in a schema, true or false elsewhere"
	}
	if must == "" {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		return keyword + " must be " + must
	}
	return keyword + " must be " + must + ", not " + quoted(n.Value)
}

// maps are the objects whose keys are names of the API.
var maps = map[kind]kind{
	serverVars: serverVar, pathsMap: pathItem, webhooksMap: pathItem, responsesMap: response, responseComponents: response, contentMap: mediaType, encodingMap: encoding,
	headersMap: header, schemasMap: schema, parametersMap: parameter, bodiesMap: requestBody, securityMap: securityScheme,
	callbacksMap: callback, callback: pathItem, scopes: text, requirement: nameList,
}

// lists are the sequences, with the kind of their elements.
var lists = map[kind]kind{servers: server, parameters: parameter, schemaList: schema, requirements: requirement}

// prose are the keywords that do not affect the API's shape.
var prose = map[string]bool{
	"summary": true, "description": true, "tags": true, // but an operation's
	"title": true, "example": true, "examples": true,
	"externalDocs": true, "contact": true, "license": true, "termsOfService": true, "xml": true, "links": true,
	"$comment":  true,
	"pathItems": true, // are put where paths refer to them
}
