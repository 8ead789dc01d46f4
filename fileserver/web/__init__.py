"""The pages a person sees: values in, HTML out. They work without scripts, and load nothing from elsewhere."""
