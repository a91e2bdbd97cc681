package cli

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// shippedIDs are the products that need no file.
func shippedIDs() (ids []string) {
	for _, p := range tenant.Shipped() {
		ids = append(ids, p.ID)
	}
	return ids
}

// productsNamed are the shipped products with those ids.
func productsNamed(flag string, ids []string, f *faults) (all []tenant.Product) {
	for _, id := range ids {
		p, known := tenant.ShippedProduct(id)
		if !known {
			f.add("%s %q: want one of %s, or describe it with --products-file", flag, id, strings.Join(shippedIDs(), ", "))
			continue
		}
		all = append(all, p)
	}
	return all
}

// productsFrom reads the products of a file, where one is named.
func productsFrom(path string, f *faults) []tenant.Product {
	if path == "" {
		return nil
	}
	body, err := os.ReadFile(path)
	if err != nil {
		f.add("--products-file: %v", err)
		return nil
	}
	all, err := tenant.ReadProducts(body)
	if err != nil {
		for _, fault := range strings.Split(err.Error(), "\n") {
			f.add("--products-file: %s", fault)
		}
	}
	return all
}

func (a *app) tenantsProductsCommand() *cobra.Command {
	var add, remove []string
	var file string
	cmd := overAPI(list(&cobra.Command{
		Use:   "products TENANT",
		Short: "List the products of a tenant, or change which it has",
		Long: `List the products of a tenant, or change which it has. Each product has a provisioning group of its own: two of them never
share one. To license users for several at once, the customer nests one group in the groups of all.

Products that are shipped are named with --add: ` + strings.Join(shippedIDs(), ", ") + `. Others are described in a file, and those of
the file that the tenant has already are changed. Another group begins as any change of the group does.

A product that is removed is not decided any more: the licenses that its users hold stand as they are.`,
		Example: `  rollcall tenants products contoso
  rollcall tenants products contoso --add drive --add email
  rollcall tenants products contoso --products-file products.yaml
  rollcall tenants products contoso --remove drive`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			var f faults
			wanted := append(productsNamed("--add", add, &f), productsFrom(file, &f)...)
			if len(f) > 0 {
				return usage("%s", strings.Join(f, "; "))
			}
			return a.ordering(func(o orders) error {
				t, err := o.ChangeProducts(cmd.Context(), args[0], wanted, remove)
				if err != nil {
					return err
				}
				return printAll(a, productFields, productItems(t))
			})
		}),
	}))
	cmd.Flags().StringSliceVar(&add, "add", nil, "shipped product that it is to have; may be repeated")
	cmd.Flags().StringVar(&file, "products-file", "", "YAML file with products that it is to have, or that are to be changed")
	cmd.Flags().StringSliceVar(&remove, "remove", nil, "product that it is to have no longer; may be repeated")
	a.natsFlags(cmd)
	return cmd
}

// productItem is a product of a tenant as it is printed.
type productItem struct {
	Tenant   string   `json:"tenant"`
	Product  string   `json:"product"`
	Name     string   `json:"name"`
	Group    string   `json:"group"` // address of the provisioning group
	Licensed []string `json:"licensed"`
	Active   []string `json:"active"`
}

func productItems(t tenant.Tenant) (all []productItem) {
	for _, p := range t.Products {
		all = append(all, productItem{t.ID, p.ID, p.Name, t.GroupAddress(p), p.Licensed, p.Active})
	}
	return all
}

var productFields = []output.Field[productItem]{
	{Name: "tenant", Value: func(p productItem) string { return p.Tenant }},
	same("product", 14, func(p productItem) string { return p.Product }),
	same("name", 16, func(p productItem) string { return p.Name }),
	same("group", 52, func(p productItem) string { return p.Group }),
	same("licensed", 32, func(p productItem) string { return strings.Join(p.Licensed, " ") }),
	same("active", 0, func(p productItem) string { return strings.Join(p.Active, " ") }),
}
