"""The pages, one module per family. They ask services on behalf of the visitor and show what comes back."""
